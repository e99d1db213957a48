// Package sealed encrypts what leaves a device as a file: in the age format
// (age-encryption.org/v1), with a key from a passphrase. Anybody with the age
// program and the passphrase can open such a file, too.
package sealed

import (
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"filippo.io/age"

	"github.com/landfall-sync/landfall"
)

// MinPassphrase is in characters.
const MinPassphrase = 8

// strength is the base 2 logarithm of scrypt's work factor: about a second and a
// quarter of a gigabyte of memory on a phone of today.
const strength = 18

// Seal encrypts what is written; Close ends the file, which is of no use without.
func Seal(w io.Writer, passphrase string) (io.WriteCloser, error) {
	return seal(w, passphrase, strength)
}

func seal(w io.Writer, passphrase string, strength int) (io.WriteCloser, error) {
	if utf8.RuneCountInString(passphrase) < MinPassphrase {
		return nil, landfall.Errorf(landfall.CodeInvalid, "the passphrase is too short").WithHint("use %d characters or more; whoever lands the file needs it, too", MinPassphrase)
	}
	to, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, err
	}
	to.SetWorkFactor(strength)
	return age.Encrypt(w, to)
}

// Open decrypts a file that Seal wrote. What is read is right as far as it goes;
// only the end without an error says that it is all.
func Open(r io.Reader, passphrase string) (io.Reader, error) {
	key, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, landfall.Errorf(landfall.CodeInvalid, "a passphrase is needed")
	}
	key.SetMaxWorkFactor(strength + 2)
	plain, err := age.Decrypt(r, key)
	if err != nil {
		return nil, broken(err)
	}
	return &reader{plain}, nil
}

type reader struct{ io.Reader }

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = broken(err)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = broken(err)
	}
	return n, err
}

// broken says what is wrong with a file, for whoever has it in hand.
func broken(err error) error {
	if none := (*age.NoIdentityMatchError)(nil); errors.As(err, &none) || strings.Contains(err.Error(), "incorrect passphrase") {
		return landfall.Errorf(landfall.CodeInvalid, "the passphrase is wrong").WithHint("nothing was read; it is the one that was given when the file was made")
	}
	return landfall.Errorf(landfall.CodeInvalid, "the file is damaged, or not complete").WithHint("nothing of it was used; copy it again from where it was made")
}

package auth

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// Prefixes tell people, and scanners for leaked secrets, what a token is.
const (
	SessionPrefix = "lfs_"
	DevicePrefix  = "lfd_"
)

const tokenBytes = 32

// newToken makes an opaque token and its hash, which is all that is stored.
func newToken(random io.Reader, prefix string) (token, hash string, err error) {
	b := make([]byte, tokenBytes)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", "", fmt.Errorf("no randomness for a token: %w", err)
	}
	token = prefix + base64.RawURLEncoding.EncodeToString(b)
	return token, hashSecret(token), nil
}

// hashSecret needs no salt and no work factor: what it hashes is random.
func hashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// codeAlphabet has no letters and digits that are mistaken for each other when
// read aloud or from paper. 32 of them keep the choice even.
const codeAlphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"

const codeLength = 10

// newCode makes a code for people, such as ABCDE-FGHJK, and its hash.
func newCode(random io.Reader) (code, hash string, err error) {
	b := make([]byte, codeLength)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", "", fmt.Errorf("no randomness for a code: %w", err)
	}
	for i := range b {
		b[i] = codeAlphabet[int(b[i])%len(codeAlphabet)]
	}
	code = string(b[:codeLength/2]) + "-" + string(b[codeLength/2:])
	return code, hashSecret(plainCode(code)), nil
}

// plainCode is a code as people type it, without what does not matter.
func plainCode(typed string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || unicode.IsSpace(r) {
			return -1
		}
		return r
	}, strings.ToUpper(typed))
}

// RandomPassword is a password for a person to type once.
func RandomPassword(random io.Reader) (string, error) {
	first, _, err := newCode(random)
	if err != nil {
		return "", err
	}
	second, _, err := newCode(random)
	return strings.ToLower(first + "-" + second), err
}

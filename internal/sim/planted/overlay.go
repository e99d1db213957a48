package planted

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Overlay writes the changed copies of the files of the checkout in root into
// dir, which must be there, and beside them the file for go build -overlay. An
// old text that is not there exactly once is an error: the code has changed.
func (b *Bug) Overlay(root, dir string) (overlayJSON string, err error) {
	root, err = filepath.Abs(root)
	if err != nil {
		return "", err
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	texts, err := b.changed(root)
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for file, text := range texts {
		copied := filepath.Join(dir, strings.ReplaceAll(file, "/", "__"))
		if err := os.WriteFile(copied, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(root, filepath.FromSlash(file))] = copied
	}
	overlay, err := json.MarshalIndent(map[string]any{"Replace": replace}, "", "\t")
	if err != nil {
		return "", err
	}
	overlayJSON = filepath.Join(dir, "overlay.json")
	return overlayJSON, os.WriteFile(overlayJSON, overlay, 0o600)
}

// changed are the files with the bug in them.
func (b *Bug) changed(root string) (map[string]string, error) {
	texts := map[string]string{}
	for _, e := range b.Edits {
		text, known := texts[e.File]
		if !known {
			read, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(e.File)))
			if err != nil {
				return nil, fmt.Errorf("the bug %s is in %s, which can't be read: %w; the code has changed: plant the bug anew", b.Name, e.File, err)
			}
			text = string(read)
		}
		text, found := e.apply(text)
		if found != 1 {
			return nil, fmt.Errorf("the bug %s changes lines of %s that are there %d times, not once; the code has changed: plant the bug anew", b.Name, e.File, found)
		}
		texts[e.File] = text
	}
	return texts, nil
}

// apply makes the edit, and tells how often the old lines are there.
func (e *Edit) apply(text string) (changed string, found int) {
	const start = "\n" // so that the old text begins a line
	text = start + text
	found = strings.Count(text, start+e.Old)
	return strings.TrimPrefix(strings.Replace(text, start+e.Old, start+e.New, 1), start), found
}

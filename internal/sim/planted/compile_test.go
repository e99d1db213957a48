package planted

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/importer"
	goparser "go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"testing"
)

// Every bug compiles, or it would not get past anybody. No edit changes what a
// package exports, so the others compile as they do without it.
func TestCompiles(t *testing.T) {
	bugs := All()
	c := newChecker(t, bugs)
	for _, b := range bugs {
		texts, err := b.changed(root)
		if err != nil {
			t.Fatal(err)
		}
		for _, dir := range packages(b) {
			if err := c.check(dir, texts); err != nil {
				t.Errorf("%s: %v", b.Name, err)
			}
		}
	}
	if err := c.check("client", map[string]string{"client/push.go": "package client\n\nfunc f() { unused := 1 }\n"}); err == nil {
		t.Error("what does not compile is let pass")
	}
}

// packages are the folders that a bug changes.
func packages(b *Bug) []string {
	var out []string
	for _, e := range b.Edits {
		out = append(out, path.Dir(e.File))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// checker compares packages, with some of their files changed, with the types of
// all others as they were compiled.
type checker struct {
	fset  *token.FileSet
	files map[string][]string // of a folder
	kept  map[string]*ast.File
	conf  types.Config
}

func newChecker(t *testing.T, bugs []*Bug) *checker {
	t.Helper()
	dirs := map[string]bool{}
	for _, b := range bugs {
		for _, dir := range packages(b) {
			dirs["./"+dir] = true
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-export", "-deps", "-json=ImportPath,Export,GoFiles"}, slices.Sorted(maps.Keys(dirs))...)...)
	cmd.Dir, cmd.Stderr = root, os.Stderr
	list, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	c := &checker{fset: token.NewFileSet(), files: map[string][]string{}, kept: map[string]*ast.File{}}
	compiled := map[string]string{}
	for dec := json.NewDecoder(bytes.NewReader(list)); ; {
		var p struct {
			ImportPath, Export string
			GoFiles            []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		compiled[p.ImportPath], c.files[p.ImportPath] = p.Export, p.GoFiles
	}
	c.conf.Importer = importer.ForCompiler(c.fset, "gc", func(name string) (io.ReadCloser, error) { return os.Open(compiled[name]) })
	return c
}

func (c *checker) check(dir string, texts map[string]string) error {
	pkg := path.Join(module[len("module "):], dir)
	var files []*ast.File
	for _, name := range c.files[pkg] {
		name = path.Join(dir, name)
		text, changed := texts[name]
		f := c.kept[name]
		switch {
		case changed:
			var err error
			if f, err = goparser.ParseFile(c.fset, name, text, 0); err != nil {
				return err
			}
		case f == nil:
			var err error
			if f, err = goparser.ParseFile(c.fset, filepath.Join(root, name), nil, 0); err != nil {
				return err
			}
			c.kept[name] = f
		}
		files = append(files, f)
	}
	_, err := c.conf.Check(pkg, c.fset, files, nil)
	return err
}

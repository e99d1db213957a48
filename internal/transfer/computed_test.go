package transfer

import (
	"testing"

	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/tabular"
)

const counted = `app: a
title: A
roles: [w]
types:
  t:
    fields:
      name: {type: text}
      size: {type: integer, computed: "record.name.size()"}
    audience: [all]
    rights: {w: {create: true}}
`

// What was exported comes back: a column that the server works out is passed over.
func TestComputedColumnIsPassedOver(t *testing.T) {
	c, err := newColumns("a", definition.MustCompile("a.yaml", []byte(counted)).Types["t"], "", nil, "digest")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.header([]string{"name", "size"}); err != nil {
		t.Error(err)
	}
	if err := c.header([]string{"id", "size"}); err == nil {
		t.Error("there is nothing to enter in it")
	}
	row, fault := c.row(&tabular.Row{Line: 2, Cells: []tabular.Cell{{Name: "name", Text: "four"}, {Name: "size", Text: "not four"}}})
	if fault != nil || len(row.Set) != 1 || string(row.Set["name"]) != `"four"` {
		t.Errorf("%+v %+v", row, fault)
	}
}

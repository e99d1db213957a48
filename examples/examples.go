// Package examples holds the example apps, for the demo and for tests.
package examples

import _ "embed" // the definitions are files

// Expenses is the definition of the expense app.
//
//go:embed expenses/app.yaml
var Expenses []byte

// FieldService is the definition of the facility-management app.
//
//go:embed fieldservice/app.yaml
var FieldService []byte

// FieldService2 is its next version, with things renamed.
//
//go:embed fieldservice/app-v2.yaml
var FieldService2 []byte

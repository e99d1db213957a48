// Package examples holds the example apps, for the demo and for tests.
package examples

import _ "embed" // the definitions are files

// Expenses is the definition of the expense app.
//
//go:embed expenses/app.yaml
var Expenses []byte

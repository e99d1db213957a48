package definition

import _ "embed" // the schema is a file

//go:embed schema.json
var schema string

// Schema is the JSON Schema (draft 2020-12) of definitions, for editors. It knows
// the words of the language and what each takes; names, types and conditions are
// for Compile.
func Schema() []byte { return []byte(schema) }

package main

type appCmd struct {
	Check    appCheckCmd    `cmd:"" help:"Check a definition; needs no server."`
	Rehearse appRehearseCmd `cmd:"" help:"Say what a definition would fix and break, before it is published."`
	Publish  appPublishCmd  `cmd:"" help:"Publish a definition; rehearses it first."`
	Diagram  appDiagramCmd  `cmd:"" help:"Draw a definition; needs no server."`
	Schema   appSchemaCmd   `cmd:"" help:"Print the JSON Schema of definitions, for editors."`
}

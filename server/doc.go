// Package server puts a Landfall server together. The program landfall serves
// with it, and so can a Go program of yours:
//
//	st, err := server.OpenFolder(ctx, "data")     // SQLite in a folder
//	if empty, _ := server.Empty(ctx, st); empty {
//		made, err := server.Init(ctx, st, server.InitOptions{Definition: yaml, Admin: "ada"})
//		// made.Password is shown once
//	}
//	srv, err := server.New(server.Options{Store: st})
//	ln, err := net.Listen("tcp", "127.0.0.1:8080")
//	err = srv.Run(ctx, ln)                        // until ctx is done
//
// To serve beside handlers of your own, mount Handler and run Work:
//
//	mux.Handle("/v1/", srv.Handler())
//	go srv.Work(ctx)
//
// Nothing here is global: several servers on several stores live in one
// process. One store is served by one server at a time. The server speaks
// plain HTTP; put TLS before it wherever others could listen in.
package server

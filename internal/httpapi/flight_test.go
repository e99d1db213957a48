package httpapi

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A device takes a large page in slowly. When its device is blocked, or its user
// loses a role, the rest of the page is not sent any more once that is answered.
func TestNoByteAfterARevocation(t *testing.T) {
	for _, c := range []struct {
		method, path, body string
		cut                bool
	}{
		{"POST", "/v1/devices/r1/block", "", true}, {"POST", "/v1/devices/r1/wipe", "", true}, {"POST", "/v1/devices/r1/revoke", "", true},
		{"PATCH", "/v1/users/emma", `{"revoke":["manager"]}`, true}, {"PATCH", "/v1/users/emma", `{"disabled":true}`, true},
		{"POST", "/v1/devices/r2/block", "", false}, {"POST", "/v1/devices/r1/retire", "", false}, {"PATCH", "/v1/users/emma", `{"grant":["manager"]}`, false},
	} {
		t.Run(c.method+" "+c.path+c.body, func(t *testing.T) {
			a, f, _ := newAPI(t)
			page := bytes.Repeat([]byte("x"), 32<<20) // more than a connection holds
			f.page = append(append([]byte(`{"seq":1,"type":"`), page...), `"}`...)
			srv := httptest.NewServer(a)
			defer srv.Close()
			conn, err := net.Dial("tcp", srv.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }() // it was read to its end
			if _, err := fmt.Fprintf(conn, "GET /v1/sync/pull HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nConnection: close\r\n\r\n", phone); err != nil {
				t.Fatal(err)
			}
			if _, err := bufio.NewReaderSize(conn, 16).ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
			r.Header.Set("Authorization", "Bearer "+ada)
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			a.ServeHTTP(w, r)
			if w.Code != 200 {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			n, _ := io.Copy(io.Discard, conn) // cut off is an error, or an end
			if whole := n >= int64(len(page)); whole == c.cut {
				t.Errorf("%d bytes came", n)
			}
		})
	}
}

// What a device tells of itself with a pull is JSON, or nothing.
func TestToldHeader(t *testing.T) {
	a, _, _ := newAPI(t)
	for header, want := range map[string]int{"": 200, `{"waiting":2,"clock":"2026-03-01T09:00:00Z","incarnation":1,"made":3}`: 200, "waiting=2": 400, `{"waiting":"2"}`: 400} {
		r := httptest.NewRequest(http.MethodGet, "/v1/sync/pull", nil)
		r.Header.Set("Authorization", "Bearer "+phone)
		if header != "" {
			r.Header.Set("Landfall-Device", header)
		}
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%q: %d %s", header, w.Code, w.Body)
		}
	}
}

// The receiver of the bench: the two vendors' endpoints, fast enough to be no part of what is measured, with a
// book that says whether every record arrived, once, and in its user's order.
//
// One line of JSON on the standard input configures it; one on the standard output says where it listens. It ends
// when the standard input does, so that it never outlives the bench.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
)

const readBufferBytes = 256 << 10

type server struct {
	endpoints []*endpoint
	book      *book
	capacity  *capacity
}

func main() {
	debug.SetGCPercent(400) // bodies are read into buffers that stay: hardly anything is left to collect
	input := bufio.NewReader(os.Stdin)
	var wanted struct {
		ClientKey   string `json:"client_key"`
		DistinctKey string `json:"distinct_key"`
	}
	line, err := input.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &wanted)
	}
	listener, listenErr := net.Listen("tcp", "127.0.0.1:0")
	if err != nil || listenErr != nil {
		fmt.Fprintln(os.Stderr, "receiver:", err, listenErr)
		os.Exit(2)
	}
	s := &server{endpointsFor(wanted.ClientKey, wanted.DistinctKey), &book{}, newCapacity()}
	s.book.reset(0, false)
	go s.accept(listener)
	fmt.Printf("{\"base_url\": \"http://%s\"}\n", listener.Addr())
	_, _ = io.Copy(io.Discard, input)
}

func (s *server) accept(listener net.Listener) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		go s.talk(connection)
	}
}

// talk answers all requests of a connection, in turn.
func (s *server) talk(connection net.Conn) {
	defer connection.Close()
	reader := bufio.NewReaderSize(connection, readBufferBytes)
	var r request
	var found []identity
	for r.next(reader) == nil {
		var reply []byte
		if e := s.endpointOf(&r); e != nil {
			reply, found = s.serve(e, &r, found)
		} else {
			reply = s.control(string(r.method), string(r.path), r.body)
		}
		if _, err := connection.Write(reply); err != nil || r.close {
			return
		}
	}
}

func (s *server) endpointOf(r *request) *endpoint {
	if string(r.method) == "POST" {
		for _, e := range s.endpoints {
			if string(r.path) == e.path {
				return e
			}
		}
	}
	return nil
}

// control is what the bench alone calls.
//
//	PUT /bench/expect     {"records": N, "keep": false}: forget everything and expect so many
//	GET /bench/bodies     those of the requests since then, a line each, if they were to be kept
//	PUT /bench/behaviour  {"latency_ms", "capacity", "queue", "status"}: from now on
//	GET /bench/counts     the counts alone
//	GET /bench/report     with what is missing, and the latency of the records ?from=N&to=N
func (s *server) control(method, path string, body []byte) []byte {
	path, query, _ := strings.Cut(path, "?")
	switch method + " " + path {
	case "PUT /bench/expect":
		var wanted struct {
			Records int  `json:"records"`
			Keep    bool `json:"keep"`
		}
		if json.Unmarshal(body, &wanted) == nil {
			s.book.reset(wanted.Records, wanted.Keep)
			return answer("200 OK", "{}")
		}
	case "PUT /bench/behaviour":
		var wanted behaviour
		if json.Unmarshal(body, &wanted) == nil {
			s.capacity.set(wanted)
			return answer("200 OK", "{}")
		}
	case "GET /bench/bodies":
		return answer("200 OK", string(s.book.kept()))
	case "GET /bench/counts":
		return asJSON(s.book.counts())
	case "GET /bench/report":
		values, _ := url.ParseQuery(query)
		from, _ := strconv.Atoi(values.Get("from"))
		to, _ := strconv.Atoi(values.Get("to"))
		return asJSON(s.book.report(from, to))
	}
	s.book.refuse(false)
	return notFound
}

func asJSON(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		return answer("500 Internal Server Error", "{}")
	}
	return answer("200 OK", string(text))
}

package main

import (
	"bufio"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
)

// clients is how many connections there are, each with one request at a time.
const clients = 16

const request = "POST /work HTTP/1.1\r\nHost: benchmarks\r\nContent-Length: 0\r\n\r\n"

// post sends n requests in all, and reads the answers. It is no http.Client, because that costs more
// than the handlers: their difference would not show.
func post(address string, n int) {
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			conn := must(net.Dial("tcp", address))
			defer conn.Close()
			answers := bufio.NewReader(conn)
			for range share(n, clients, i) {
				must(conn.Write([]byte(request)))
				if err := readAccepted(answers); err != nil {
					panic(err)
				}
			}
		})
	}
	all.Wait()
}

// readAccepted reads one answer, which must be 202 and have a length.
func readAccepted(r *bufio.Reader) error {
	status, err := r.ReadString('\n')
	if err != nil {
		return err
	}
	if !strings.HasPrefix(status, "HTTP/1.1 202 ") {
		return fmt.Errorf("the answer is %q", status)
	}
	length := -1
	for {
		header, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(header) == len("\r\n") {
			break
		}
		name, value, _ := strings.Cut(string(header), ": ")
		if name == "Content-Length" {
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return err
			}
		}
	}
	if length < 0 {
		return fmt.Errorf("the answer has no Content-Length")
	}
	_, err = r.Discard(length)
	return err
}

package serve

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// count returns how many connections are in a state.
func (c *clients) count(in state) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	count := 0
	for _, p := range c.peers {
		count += p.in[in].Len()
	}
	return count
}

// fakeConn is a connection from an address that notes whether it is closed.
type fakeConn struct {
	net.Conn
	from   net.Addr
	closed atomic.Bool
}

func (f *fakeConn) RemoteAddr() net.Addr { return f.from }
func (f *fakeConn) Close() error         { f.closed.Store(true); return nil }

func open(c *clients, address string) (*connection, *fakeConn) {
	fake := &fakeConn{from: &net.TCPAddr{IP: net.ParseIP(address), Port: 1}}
	return c.add(fake), fake
}

// TestRoomForConnections fills the server from one address: another one finds room, at
// the cost of the first, which loses what waits for a request before streams and answers,
// the oldest first.
func TestRoomForConnections(t *testing.T) {
	c := newClients()
	var greedy []*fakeConn
	var own []*connection
	for range maxConnections {
		n, fake := open(c, "10.0.0.1")
		own, greedy = append(own, n), append(greedy, fake)
	}
	own[0].set(answering)
	own[1].set(streaming)
	for i := range 100 {
		n, fake := open(c, "10.0.0.2")
		n.set(answering)
		if fake.closed.Load() {
			t.Fatalf("connection %d of another address was closed", i)
		}
	}
	for i, fake := range greedy {
		if closed := 2 <= i && i < 102; fake.closed.Load() != closed {
			t.Fatalf("connection %d: closed %t, want %t", i, !closed, closed)
		}
	}
	if c.conns != maxConnections {
		t.Errorf("got %d connections, want %d", c.conns, maxConnections)
	}
	// The same address again takes from itself, not from the one that has less.
	for range 1000 {
		open(c, "10.0.0.1")
	}
	if theirs := c.peers[netip.MustParseAddr("10.0.0.2")].conns; theirs != 100 || greedy[0].closed.Load() || greedy[1].closed.Load() {
		t.Errorf("got %d connections of the other address, want 100, and the two in use open", theirs)
	}
	own[0].Close()
	own[0].Close()
	if c.conns != maxConnections-1 {
		t.Errorf("got %d connections after one was closed twice, want %d", c.conns, maxConnections-1)
	}
}

// TestRoomForStreams wants a new stream to end the oldest one of who has most.
func TestRoomForStreams(t *testing.T) {
	c := newClients()
	_, quiet := open(c, "10.0.0.2")
	quietConn, _ := open(c, "10.0.0.2")
	quietConn.stream()
	var greedy []*fakeConn
	for range maxStreams + 9 {
		n, fake := open(c, "10.0.0.1")
		n.stream()
		greedy = append(greedy, fake)
	}
	for i, fake := range greedy {
		if closed := i < 10; fake.closed.Load() != closed {
			t.Errorf("stream %d: closed %t, want %t", i, !closed, closed)
		}
	}
	if quiet.closed.Load() || c.count(streaming) != maxStreams {
		t.Errorf("got %d streams, want %d, and no other connection closed", c.count(streaming), maxStreams)
	}
}

// TestRoomForAnswers wants large answers that one client does not take to cost that
// client its connections, not the memory of the machine.
func TestRoomForAnswers(t *testing.T) {
	c := newClients()
	small, smallConn := open(c, "10.0.0.2")
	small.hold(maxAnswer)
	for range 100 {
		n, _ := open(c, "10.0.0.1")
		n.hold(maxAnswer)
		if c.held > maxHeld {
			t.Fatalf("got %d bytes held, want at most %d", c.held, maxHeld)
		}
	}
	if smallConn.closed.Load() {
		t.Error("the client with one answer lost it")
	}
	small.hold(0)
	small.Close()
	for c.conns > 0 {
		c.most(func(p *peer) int64 { return int64(p.conns) }).dispensable().Close()
	}
	if c.held != 0 || len(c.peers) != 0 {
		t.Errorf("got %d bytes held by nobody, %d peers", c.held, len(c.peers))
	}
}

// TestQueueTakesTurns has one client with many requests and one with a single one.
func TestQueueTakesTurns(t *testing.T) {
	q := newQueue()
	var working []func()
	for range maxWork {
		release, err := q.enter(t.Context(), client{})
		if err != nil {
			t.Fatal(err)
		}
		working = append(working, release)
	}
	greedy, modest := client{kept: false}, client{kept: true}
	order := make(chan client, maxWaiting+1)
	enter := func(who client) {
		if release, err := q.enter(t.Context(), who); err == nil {
			order <- who
			release()
		}
	}
	var group sync.WaitGroup
	waits := func(n int) func() bool {
		return func() bool {
			q.mu.Lock()
			defer q.mu.Unlock()
			return len(q.waiting[greedy])+len(q.waiting[modest]) == n
		}
	}
	for i := range maxWaiting {
		group.Go(func() { enter(greedy) })
		eventually(t, "it waits", waits(i+1))
	}
	if _, err := q.enter(t.Context(), greedy); !errors.Is(err, errBusy) || statusOf(err) != http.StatusServiceUnavailable {
		t.Errorf("one request more: %v, want it refused for now", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := q.enter(ended, modest); !errors.Is(err, context.Canceled) {
		t.Errorf("a client that has gone: %v", err)
	}
	group.Go(func() { enter(modest) })
	eventually(t, "it waits, too", waits(maxWaiting+1))
	working[0]()
	group.Wait()
	if first, second := <-order, <-order; first != modest && second != modest {
		t.Error("the modest client waited for more than one request of the greedy one")
	}
	for _, release := range working[1:] {
		release()
		release() // a second time frees nothing
	}
	if q.working != 0 || len(q.waiting) != 0 || len(q.turn) != 0 {
		t.Errorf("got %d at work, %v waiting, %v in turn, want none", q.working, q.waiting, q.turn)
	}
}

// TestOthersAnswered lets one client reopen connections for ever, in every way there is.
// From another address, and from the same one where it has not the token, requests are
// answered meanwhile.
func TestOthersAnswered(t *testing.T) {
	dir := t.TempDir()
	plant(t, filepath.Join(dir, "one"), "one")
	s := running(t, dir, Options{Token: strings.Repeat("t", minToken)})
	host := s.listener.Addr().String()
	request := func(path, token string) string {
		return "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nAuthorization: Bearer " + token + "\r\n\r\n"
	}
	const work = "/api/studies/one/losses?group=g"
	for name, flood := range map[string]struct{ from, text string }{
		"half a header":          {"127.0.0.1", "GET /api/studies HTTP/1.1\r\nHost: " + host + "\r\nX: "},
		"no HTTP":                {"127.0.0.1", "\x16\x03\x01\x02"},
		"requests":               {"127.0.0.1", request(work, "wrong")},
		"streams":                {"127.0.0.1", request("/api/studies/one/events", s.token)},
		"nothing from elsewhere": {"127.0.0.2", ""},
		"work from elsewhere":    {"127.0.0.2", request(work, s.token)},
		"streams from elsewhere": {"127.0.0.2", request("/api/events", s.token)},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := net.Listen("tcp", flood.from+":0"); err != nil {
				t.Skipf("this system has one loopback address: %v", err)
			}
			ctx, stop := context.WithCancel(t.Context())
			var group sync.WaitGroup
			defer group.Wait()
			defer stop()
			opened := reopen(ctx, &group, flood.from, host, flood.text)
			for deadline := time.Now().Add(time.Minute); opened.Load() < maxConnections+100 && time.Now().Before(deadline); {
				time.Sleep(10 * time.Millisecond)
			}
			kept := &http.Client{Timeout: time.Minute}
			fresh := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
			worst := time.Duration(0)
			for i := range 16 {
				start := time.Now()
				path := []string{"/", "/api/studies", "/api/studies/one/runs", work}[i/2%4]
				status, err := fetch([]*http.Client{kept, fresh}[i%2], s.base()+path, s.token)
				if err != nil { // as browsers do, where a connection closes before an answer
					t.Log(err)
					status, err = fetch(fresh, s.base()+path, s.token)
				}
				if err != nil || status != http.StatusOK {
					t.Fatalf("request %d: got %d, %v, want 200 beside a client that reopens connections", i, status, err)
				}
				worst = max(worst, time.Since(start))
			}
			t.Logf("slowest of 16 answers %s beside %d connections", worst, opened.Load())
		})
	}
}

// reopen opens connections as fast as it can, sends text on each and keeps more open than
// the server does. It returns how many it has opened.
func reopen(ctx context.Context, group *sync.WaitGroup, from, host, text string) *atomic.Int64 {
	var opened atomic.Int64
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	group.Go(func() {
		var kept []net.Conn
		for ctx.Err() == nil {
			conn, err := dialer.DialContext(ctx, "tcp", host)
			if err != nil {
				continue
			}
			opened.Add(1)
			io.WriteString(conn, text)
			if kept = append(kept, conn); len(kept) > 2*maxConnections {
				kept[0].Close()
				kept = kept[1:]
			}
		}
		for _, conn := range kept {
			conn.Close()
		}
	})
	return &opened
}

// fetch takes a whole answer.
func fetch(client *http.Client, url, token string) (int, error) {
	request, err := http.NewRequest("GET", url, nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := client.Do(request)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", url, err)
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, bufio.NewReader(response.Body))
	return response.StatusCode, err
}

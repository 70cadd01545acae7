package serve

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"net/netip"
	"sync"
)

// Limits on all clients together. Beyond them the client that has most loses connections.
const (
	maxConnections = 1024
	maxStreams     = 256       // event streams and downloads
	maxHeld        = 256 << 20 // bytes of answers that clients have not taken yet
	newcomers      = 512       // connections that wait for a request and are closed last
)

// clients keeps the connections of a server. It makes room for a new one by closing one of the
// client (an address) that has most, so that a client which opens connections forever, or holds
// them half open, only displaces its own. It closes connections that wait for a request first,
// then streams, then those whose answer is being computed, and the oldest of each kind. It spares
// the newest that wait, so that a new client behind a shared address still gets an answer.
type clients struct {
	mu    sync.Mutex
	peers map[netip.Addr]*peer // those with a connection
	conns int
	held  int64
}

// A peer is what one address has. Its fields are guarded by clients.mu.
type peer struct {
	conns int
	held  int64
	in    [answering + 1]list.List // of *connection by state, those longest in it first
}

// A connection is one that a client has opened. Its fields are guarded by clients.mu.
type connection struct {
	net.Conn
	clients *clients
	address netip.Addr
	peer    *peer // nil once it is closed
	place   *list.Element
	state   state
	known   bool  // a request on it has passed the guard
	held    int64 // bytes of the answer that is being sent
}

// A state says what a connection is doing.
type state int

const (
	waiting state = iota
	streaming
	answering
)

func newClients() *clients { return &clients{peers: map[netip.Addr]*peer{}} }

// limited is a listener that hands its connections to clients.
type limited struct {
	net.Listener
	clients *clients
}

// Accept implements net.Listener.
func (l *limited) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.clients.add(conn), nil
}

// add keeps a new connection, and closes another one if there are too many.
func (c *clients) add(conn net.Conn) *connection {
	n := &connection{Conn: conn, clients: c, address: addressOf(conn)}
	c.mu.Lock()
	var victim *connection
	if c.conns >= maxConnections {
		victim = c.most(func(p *peer) int64 { return int64(p.conns) }).dispensable()
	}
	p, ok := c.peers[n.address]
	if !ok {
		p = &peer{}
		c.peers[n.address] = p
	}
	n.peer, n.place = p, p.in[waiting].PushBack(n)
	p.conns++
	c.conns++
	c.mu.Unlock()
	if victim != nil {
		victim.Close()
	}
	return n
}

// addressOf returns the address of the client; unknown addresses are one client.
func addressOf(conn net.Conn) netip.Addr {
	if tcp, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}

// most returns the peer with the largest weight. The caller holds mu.
func (c *clients) most(weight func(*peer) int64) *peer {
	var greedy *peer
	for _, p := range c.peers {
		if greedy == nil || weight(p) > weight(greedy) {
			greedy = p
		}
	}
	return greedy
}

// dispensable returns the connection of a peer to close first.
func (p *peer) dispensable() *connection {
	order := []state{streaming, answering, waiting}
	if p.in[waiting].Len() > newcomers {
		order = []state{waiting}
	}
	for _, state := range order {
		if first := p.in[state].Front(); first != nil {
			return first.Value.(*connection)
		}
	}
	return nil
}

// Close implements net.Conn.
func (n *connection) Close() error {
	c := n.clients
	c.mu.Lock()
	if p := n.peer; p != nil {
		p.in[n.state].Remove(n.place)
		p.conns--
		p.held -= n.held
		c.held -= n.held
		c.conns--
		if p.conns == 0 {
			delete(c.peers, n.address)
		}
		n.peer, n.held = nil, 0
	}
	c.mu.Unlock()
	return n.Conn.Close()
}

// set changes the state of a connection.
func (n *connection) set(to state) {
	n.clients.mu.Lock()
	defer n.clients.mu.Unlock()
	n.move(to)
}

// move changes the state of a connection that is open. The caller holds mu.
func (n *connection) move(to state) {
	if n.peer != nil {
		n.peer.in[n.state].Remove(n.place)
		n.state, n.place = to, n.peer.in[to].PushBack(n)
	}
}

// stream marks a request whose answer is a stream or a download. It lasts until its client ends
// it, or until there are too many and it is the oldest of the client that has most.
func (n *connection) stream() {
	c := n.clients
	c.mu.Lock()
	n.move(streaming)
	streams := 0
	for _, p := range c.peers {
		streams += p.in[streaming].Len()
	}
	var victim *connection
	if streams > maxStreams {
		greedy := c.most(func(p *peer) int64 { return int64(p.in[streaming].Len()) })
		victim = greedy.in[streaming].Front().Value.(*connection)
	}
	c.mu.Unlock()
	if victim != nil {
		victim.Close()
	}
}

// hold records that an answer of that many bytes waits for its client, 0 for none. If all
// together are too many, the client that holds most loses answers, the oldest first.
func (n *connection) hold(bytes int64) {
	c := n.clients
	c.mu.Lock()
	if n.peer != nil {
		n.peer.held += bytes - n.held
		c.held += bytes - n.held
		n.held = bytes
	}
	var victims []*connection
	for over := c.held - maxHeld; over > 0; {
		greedy := c.most(func(p *peer) int64 { return p.held })
		victim := greedy.holder()
		victims = append(victims, victim)
		over -= victim.held
		greedy.held -= victim.held // so that Close subtracts nothing more
		c.held -= victim.held
		victim.held = 0
	}
	c.mu.Unlock()
	for _, victim := range victims {
		victim.Close()
	}
}

// holder returns the connection of a peer that has held an answer for longest.
func (p *peer) holder() *connection {
	for i := range p.in {
		for e := p.in[i].Front(); e != nil; e = e.Next() {
			if n := e.Value.(*connection); n.held > 0 {
				return n
			}
		}
	}
	return nil
}

type connectionKey struct{}

// withConnection is http.Server.ConnContext: handlers find their connection by connectionOf.
func withConnection(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, conn)
}

// connectionOf returns the connection of a request, a new one for requests without, as in tests
// of a handler.
func connectionOf(r *http.Request) *connection {
	if n, ok := r.Context().Value(connectionKey{}).(*connection); ok {
		return n
	}
	return &connection{clients: newClients()}
}

// track keeps the state of a connection while next answers.
func track(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := connectionOf(r)
		n.set(answering)
		defer n.set(waiting)
		next.ServeHTTP(w, r)
	})
}

// admitted records that a request has passed the guard.
func (n *connection) admitted() {
	n.clients.mu.Lock()
	defer n.clients.mu.Unlock()
	n.known = true
}

// client identifies who shares a turn in the queue: an address, and whether the connection has
// been used before, so that a client which opens a connection for each request delays only itself.
type client struct {
	address netip.Addr
	kept    bool
}

// clientOf returns the client of a request, before admitted.
func clientOf(r *http.Request) client {
	n := connectionOf(r)
	n.clients.mu.Lock()
	defer n.clients.mu.Unlock()
	return client{n.address, n.known}
}

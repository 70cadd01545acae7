package serve

import (
	"net"
	"sync"
	"sync/atomic"
)

// maxConnections bounds the clients that are connected at a time. Idle and slow ones
// are closed by the server's timeouts.
const maxConnections = 512

// limited accepts at most free connections more; those beyond are closed at once, so
// that clients are told instead of waiting in the backlog.
type limited struct {
	net.Listener
	free atomic.Int64
}

func limit(l net.Listener, connections int64) net.Listener {
	bounded := &limited{Listener: l}
	bounded.free.Store(connections)
	return bounded
}

// Accept implements net.Listener.
func (l *limited) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.free.Add(-1) >= 0 {
			return &counted{Conn: conn, release: sync.OnceFunc(func() { l.free.Add(1) })}, nil
		}
		l.free.Add(1)
		conn.Close()
	}
}

type counted struct {
	net.Conn
	release func()
}

// Close implements net.Conn.
func (c *counted) Close() error {
	defer c.release()
	return c.Conn.Close()
}

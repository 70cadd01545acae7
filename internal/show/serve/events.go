package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/deeplimit/deeplimit/internal/read/survey"
	"github.com/deeplimit/deeplimit/runfolder"
)

const (
	backlog   = 32               // events that a client may be behind before it is disconnected
	beat      = time.Second      // least time between two readings of a watched study
	quiet     = 15 * time.Second // time without an event until a comment keeps the stream alive
	sendLimit = 10 * time.Second // to send one event
)

// A hub reads each watched study once a second, or less often where reading takes long, and sends
// events to all its clients. It disconnects a client that does not keep up; its browser reconnects.
type hub struct {
	folder *folder

	mu       sync.Mutex
	ctx      context.Context
	watchers map[string]*watcher // by study, "" for the list of studies
}

// A watcher is the one reader behind all streams of a study. It ends with the last.
type watcher struct {
	name        string
	subscribers map[chan []byte]struct{}
	last        []byte // the last event of kind progress, for new clients
	offsets     map[string]int64
}

func newHub(f *folder) *hub {
	return &hub{folder: f, watchers: map[string]*watcher{}, ctx: context.Background()}
}

// start lets watchers live until ctx ends.
func (h *hub) start(ctx context.Context) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ctx = ctx
}

// subscribe returns the events of a study, encoded. The channel is closed when its
// reader is too slow.
func (h *hub) subscribe(name string) (events chan []byte, leave func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w, ok := h.watchers[name]
	if !ok {
		w = &watcher{name: name, subscribers: map[chan []byte]struct{}{}, offsets: map[string]int64{}}
		h.watchers[name] = w
		go h.watch(h.ctx, w)
	}
	events = make(chan []byte, backlog)
	if w.last != nil {
		events <- w.last
	}
	w.subscribers[events] = struct{}{}
	return events, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(w.subscribers, events)
	}
}

// watch reads the study until its last client leaves.
func (h *hub) watch(ctx context.Context, w *watcher) {
	for {
		start := time.Now()
		progress, losses := w.look(h.folder)
		took := time.Since(start)
		h.mu.Lock()
		if len(w.subscribers) == 0 || ctx.Err() != nil {
			delete(h.watchers, w.name)
			for events := range w.subscribers {
				delete(w.subscribers, events)
				close(events)
			}
			h.mu.Unlock()
			return
		}
		if !bytes.Equal(progress, w.last) {
			w.last = progress
			w.tell(progress)
		}
		if losses != nil {
			w.tell(losses)
		}
		h.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(max(beat, rests*took)):
		}
	}
}

// tell sends an event to all clients. The caller holds the hub's lock.
func (w *watcher) tell(event []byte) {
	for events := range w.subscribers {
		select {
		case events <- event:
		default:
			delete(w.subscribers, events)
			close(events)
		}
	}
}

// look reads the states of the runs and the new losses of the running ones.
func (w *watcher) look(f *folder) (progress, losses []byte) {
	if w.name == "" {
		return encodeEvent("studies", overview(f)), nil
	}
	study, err := f.study(w.name)
	if err != nil {
		return encodeEvent("gone", map[string]string{"error": err.Error()}), nil
	}
	seen := study.survey()
	if seen.err != nil {
		return encodeEvent("gone", map[string]string{"error": seen.err.Error()}), nil
	}
	added := map[string]curve{}
	running := map[string]bool{}
	for i := range seen.runs {
		if r := &seen.runs[i]; r.State == survey.Running && len(running) < maxRunning {
			running[r.ID] = true
			if c := w.added(study, r.ID); len(c.X) > 0 {
				added[r.ID] = c
			}
		}
	}
	for id := range w.offsets {
		if !running[id] {
			delete(w.offsets, id)
		}
	}
	if len(added) > 0 {
		losses = encodeEvent("losses", added)
	}
	return encodeEvent("progress", study.progress(&seen)), losses
}

// maxAdded bounds the points of one curve in one event.
const maxAdded = 200

// added returns the losses that a run has recorded since the last reading. The request for the
// whole curve has those before the first one.
func (w *watcher) added(study *study, id string) curve {
	dir, err := study.contained(id)
	if err != nil {
		return curve{} // removed a moment ago; the survey will say so
	}
	rows, next, err := runfolder.ReadLive(dir, w.offsets[id])
	if err != nil {
		delete(w.offsets, id) // a resume rewrites the file: read it from the beginning
		return curve{}
	}
	w.offsets[id] = next
	iterations, losses := runfolder.Losses(rows)
	return newCurve(iterations, losses, 1+len(iterations)/maxAdded, 0)
}

// overview returns the list of studies as an event has it.
func overview(f *folder) any {
	names, err := f.names()
	if err != nil {
		return map[string]string{"error": err.Error()}
	}
	list := []studyInfo{}
	for _, name := range names {
		if study, err := f.study(name); err == nil {
			list = append(list, study.info())
		}
	}
	return map[string]any{"studies": list}
}

// encodeEvent returns an event of a stream. A line break would end it, and JSON has none.
func encodeEvent(kind string, value any) []byte {
	data, err := json.Marshal(value)
	if err != nil {
		kind, data = "gone", []byte(`{"error":"cannot be encoded"}`)
	}
	return fmt.Appendf(nil, "event: %s\ndata: %s\n\n", kind, data)
}

// events streams the events of a study, or of the list of studies.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("study")
	if name != "" {
		if _, err := s.folder.study(name); err != nil {
			refuse(w, statusOf(err), err.Error())
			return
		}
	}
	connectionOf(r).stream()
	w.Header().Set("Content-Type", "text/event-stream")
	if r.Method == http.MethodHead {
		return
	}
	events, leave := s.hub.subscribe(name)
	defer leave()
	control := http.NewResponseController(w)
	send := func(data []byte) error {
		err := control.SetWriteDeadline(time.Now().Add(sendLimit))
		if err == nil {
			_, err = w.Write(data)
		}
		return errors.Join(err, control.Flush())
	}
	if send([]byte("retry: 2000\n\n")) != nil {
		return
	}
	alive := time.NewTicker(quiet)
	defer alive.Stop()
	for {
		event := []byte(":\n\n")
		select {
		case <-r.Context().Done():
			return
		case <-alive.C:
		case next, ok := <-events:
			if !ok {
				return
			}
			event = next
		}
		if send(event) != nil {
			return
		}
	}
}

package tangent

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"sync"
	"testing"
)

// A faultyStore keeps parts in memory, and ends the proof once it kept so many.
type faultyStore struct {
	lock   sync.Mutex
	parts  map[string][]byte
	left   int
	cancel context.CancelFunc
	t      *testing.T
}

func (s *faultyStore) Load(name string, value any) bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	data, ok := s.parts[name]
	return ok && gob.NewDecoder(bytes.NewReader(data)).Decode(value) == nil
}

func (s *faultyStore) Save(name string, value any) {
	s.lock.Lock()
	defer s.lock.Unlock()
	var data bytes.Buffer
	if err := gob.NewEncoder(&data).Encode(value); err != nil {
		s.t.Errorf("%s: %v", name, err)
	}
	if _, known := s.parts[name]; known && name != "polish" {
		s.t.Errorf("%s is computed again", name)
	}
	s.parts[name] = data.Bytes()
	if s.left--; s.left == 0 {
		s.cancel()
	}
}

// TestInterrupted ends Newton steps and a proof after each part in turn, and wants the rest to lead to the same bytes.
func TestInterrupted(t *testing.T) {
	c := readGolden(t)[1]
	both := func(ctx context.Context, polish, proof Store) (string, error) {
		m := c.model(t, 2)
		theta := append([]float64(nil), m.theta...)
		steps, moved, err := m.PolishFrom(ctx, theta, 50, nil, polish)
		if err != nil {
			return "", err
		}
		k, err := m.Prove(ctx, Options{Bound: Auto, Store: proof})
		if err != nil {
			return "", err
		}
		text, err := json.Marshal(map[string]any{"steps": steps, "moved": moved, "kernel": k, "theta": theta})
		return string(text), err
	}
	want, err := both(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for parts := 1; ; parts++ {
		ctx, cancel := context.WithCancel(t.Context())
		polish := &faultyStore{parts: map[string][]byte{}, left: parts, cancel: cancel, t: t}
		_, err := both(ctx, polish, nil)
		if err == nil { // all steps were made
			cancel()
			if parts < 3 {
				t.Errorf("got %d parts of Newton steps, want 2 at least", parts-1)
			}
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if got, err := both(t.Context(), polish, nil); err != nil || got != want {
			t.Errorf("Newton steps interrupted after %d: got %s (%v), want %s", parts, got, err, want)
		}
	}
	for parts := 1; ; parts++ {
		ctx, cancel := context.WithCancel(t.Context())
		proof := &faultyStore{parts: map[string][]byte{}, left: parts, cancel: cancel, t: t}
		_, err := both(ctx, nil, proof)
		if err == nil {
			cancel()
			if parts < 6 {
				t.Errorf("got %d parts of a proof, want 5 at least", parts-1)
			}
			return
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if got, err := both(t.Context(), nil, proof); err != nil || got != want {
			t.Errorf("proof interrupted after %d parts: got %s (%v), want %s", parts, got, err, want)
		}
	}
}

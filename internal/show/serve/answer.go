package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/deeplimit/deeplimit/field"
)

const (
	writeTimeout = 30 * time.Second // of a request that is no stream or download
	maxAnswer    = 16 << 20         // bytes of JSON
)

// answer makes a handler of a function that returns a value for JSON. At most maxWork functions
// run at a time; the other requests wait as long as their clients do. Sending does not count, so
// a slow client delays nobody.
func (s *Server) answer(compute func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := s.compute(r, compute)
		if err != nil {
			if errors.Is(err, errBusy) {
				w.Header().Set("Retry-After", "2")
			}
			refuse(w, statusOf(err), err.Error())
			return
		}
		connection := connectionOf(r)
		connection.hold(int64(body.Len()))
		defer connection.hold(0)
		if body.Len() > maxAnswer {
			refuse(w, http.StatusInsufficientStorage, fmt.Sprintf("the answer has %d bytes, want at most %d; ask for fewer runs", body.Len(), maxAnswer))
			return
		}
		w.Header().Set("Content-Type", "application/json")
		// Restart the deadline, which computing may have used up.
		if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
			return // the connection is gone
		}
		w.Write(body.Bytes())
	}
}

// compute returns the JSON of what a function returns, once it is the client's turn.
func (s *Server) compute(r *http.Request, compute func(*http.Request) (any, error)) (*bytes.Buffer, error) {
	ctx, cancel := context.WithTimeout(r.Context(), writeTimeout/2)
	defer cancel()
	release, err := s.queue.enter(ctx, clientOf(r))
	if err != nil {
		return nil, err
	}
	defer release()
	value, err := compute(r)
	if err != nil {
		return nil, err
	}
	var body bytes.Buffer
	return &body, field.NotFinite(value, json.NewEncoder(&body).Encode(value))
}

// statusOf returns the HTTP status for err.
func statusOf(err error) int {
	var wrong *field.Error
	switch {
	case errors.As(err, &wrong), errors.Is(err, errCondition):
		return http.StatusBadRequest
	case errors.Is(err, fs.ErrNotExist):
		return http.StatusNotFound
	case errors.Is(err, fs.ErrPermission):
		return http.StatusForbidden
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// refuse answers with an error as JSON.
func refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"error": message})
}

// A series is a list of numbers. JSON has six digits of each, more than a screen shows, and null
// for those that are not finite.
type series []float64

// MarshalJSON implements json.Marshaler.
func (s series) MarshalJSON() ([]byte, error) {
	text := append(make([]byte, 0, 10*len(s)+2), '[')
	for i, v := range s {
		if i > 0 {
			text = append(text, ',')
		}
		text = number(v).append(text)
	}
	return append(text, ']'), nil
}

// A number is null in JSON where it is not finite.
type number float64

func (n number) append(text []byte) []byte {
	v := float64(n)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(text, "null"...)
	}
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return strconv.AppendFloat(text, v, 'f', -1, 64)
	}
	return strconv.AppendFloat(text, v, 'g', 6, 64)
}

// MarshalJSON implements json.Marshaler.
func (n number) MarshalJSON() ([]byte, error) { return n.append(nil), nil }

// integer reads a whole number of a query, fallback where it is absent.
func integer(r *http.Request, name string, fallback, least, most int) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return fallback, nil
	}
	v, err := strconv.Atoi(text)
	if err != nil || v < least || v > most {
		return 0, &field.Error{Path: name, Got: text, Want: fmt.Sprintf("a whole number from %d to %d", least, most)}
	}
	return v, nil
}

package serve

import (
	"bufio"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/read/survey"
	"github.com/deeplimit/deeplimit/runfolder"
)

const (
	maxLayer = 32 << 20 // bytes of one layer of a path that is shown
	maxFile  = 4 << 30  // bytes of weights.safetensors of a run that is shown
)

// A pathCurve is one number of every layer of one run, k/L against it.
type pathCurve struct {
	Run   string `json:"run"`
	Depth int    `json:"depth"`
	Seed  uint64 `json:"seed"`
	X     series `json:"x"`
	Y     series `json:"y"`
}

// A partInfo is a group of weights that has a path over the layers.
type partInfo struct {
	Name string `json:"name"`
	Rows int    `json:"rows"`
	Cols int    `json:"cols"`
}

// A pathQuery says which number of a layer is shown.
type pathQuery struct {
	part     string
	of       string // trained, initial or displacement
	row, col int    // of the entry, from 1; 0 for the Frobenius norm
}

func newPathQuery(r *http.Request) (pathQuery, error) {
	query := r.URL.Query()
	q := pathQuery{part: query.Get("part"), of: cmp.Or(query.Get("of"), "trained")}
	if err := field.OneOf("of", q.of, "trained", "initial", "displacement"); err != nil {
		return q, err
	}
	entry := cmp.Or(query.Get("entry"), "norm")
	if entry == "norm" {
		return q, nil
	}
	row, col, found := strings.Cut(entry, ",")
	var err1, err2 error
	q.row, err1 = strconv.Atoi(row)
	q.col, err2 = strconv.Atoi(col)
	if !found || err1 != nil || err2 != nil || q.row < 1 || q.col < 1 {
		return q, &field.Error{Path: "entry", Got: entry, Want: `"norm" or row,column such as 1,2, counted from 1`}
	}
	return q, nil
}

// paths answers with the paths of the finished runs of one group and seed, depths from
// shallow to deep.
func (s *Server) paths(r *http.Request) (any, error) {
	study, err := s.folder.study(r.PathValue("study"))
	if err != nil {
		return nil, err
	}
	query, err := newPathQuery(r)
	if err != nil {
		return nil, err
	}
	seen := study.survey()
	if seen.err != nil {
		return nil, seen.err
	}
	only, seed := r.URL.Query().Get("run"), r.URL.Query().Get("seed")
	answer := struct {
		Parts  []partInfo  `json:"parts"`
		Part   string      `json:"part"`
		Power  number      `json:"power"` // of L, by which values are rescaled: β, or α for δ
		Curves []pathCurve `json:"curves"`
		Notes  []string    `json:"notes,omitempty"`
	}{Parts: []partInfo{}, Curves: []pathCurve{}, Power: number(math.NaN())}
	for _, run := range seen.group(r.URL.Query().Get("group")) {
		if run.State != survey.Done || only != "" && run.ID != only || only == "" && !matches(seed, strconv.FormatUint(run.Seed, 10)) {
			continue
		}
		if len(answer.Curves) == 64 {
			answer.Notes = append(answer.Notes, "64 runs are shown; choose one seed to see the others")
			break
		}
		c, parts, err := study.path(r.Context(), run, query)
		if err != nil {
			if wrong := (*field.Error)(nil); errors.As(err, &wrong) {
				return nil, err
			}
			answer.Notes = append(answer.Notes, fmt.Sprintf("%s: %v", run.ID, err))
			continue
		}
		answer.Parts, answer.Part, answer.Power = parts.list, parts.chosen, number(parts.power)
		answer.Curves = append(answer.Curves, c)
	}
	slices.SortStableFunc(answer.Curves, func(a, b pathCurve) int { return cmp.Compare(a.Depth, b.Depth) })
	return answer, nil
}

type partList struct {
	list   []partInfo
	chosen string
	power  float64 // of L, by which values are rescaled
}

// path reads one number of each layer, rescaled. It streams the file and holds
// one layer at a time.
func (s *study) path(ctx context.Context, r *survey.Run, q pathQuery) (pathCurve, partList, error) {
	run, err := s.open(r.ID)
	if err != nil {
		return pathCurve{}, partList{}, err
	}
	file, err := openRegular(s.root, path.Join(s.runPath(r.ID), "weights.safetensors"))
	if err != nil {
		return pathCurve{}, partList{}, err
	}
	defer file.Close()
	status, err := file.Stat()
	if err != nil {
		return pathCurve{}, partList{}, err
	}
	if status.Size() > maxFile {
		return pathCurve{}, partList{}, fmt.Errorf("weights.safetensors has %d bytes, at most %d are shown", status.Size(), int64(maxFile))
	}
	tensors, _, err := runfolder.ReadTensorInfos(bufio.NewReader(file), status.Size())
	if err != nil {
		return pathCurve{}, partList{}, err
	}
	parts := partList{chosen: cmp.Or(q.part, run.Meta.Part()), power: run.Meta.Beta()}
	if parts.chosen == "delta" {
		parts.power = run.Meta.Alpha
	}
	byName := map[string]runfolder.TensorInfo{}
	for _, t := range tensors {
		byName[t.Name] = t
		if t.Name == "delta" && run.Meta.Residual == "fixed" {
			continue // L^−α at every layer
		}
		if rows, cols, ok := layerShape(t, run.Meta.Depth); ok && !strings.HasSuffix(t.Name, "_initial") {
			parts.list = append(parts.list, partInfo{t.Name, rows, cols})
		}
	}
	slices.SortFunc(parts.list, func(a, b partInfo) int { return cmp.Compare(a.Name, b.Name) })
	at := slices.IndexFunc(parts.list, func(p partInfo) bool { return p.Name == parts.chosen })
	if at < 0 {
		return pathCurve{}, parts, &field.Error{Path: "part", Got: parts.chosen, Want: "the name of weights with a path over the layers"}
	}
	if shape := parts.list[at]; q.row > shape.Rows || q.col > shape.Cols {
		return pathCurve{}, parts, &field.Error{Path: "entry", Got: fmt.Sprintf("%d,%d", q.row, q.col), Want: fmt.Sprintf("at most %d,%d", shape.Rows, shape.Cols)}
	}
	var sources []runfolder.TensorInfo
	for _, name := range map[string][]string{
		"trained":      {parts.chosen},
		"initial":      {parts.chosen + "_initial"},
		"displacement": {parts.chosen, parts.chosen + "_initial"},
	}[q.of] {
		t, ok := byName[name]
		if !ok {
			return pathCurve{}, parts, fmt.Errorf("there is no tensor %q: the initial weights are not known", name)
		}
		if _, _, ok := layerShape(t, run.Meta.Depth); !ok {
			return pathCurve{}, parts, fmt.Errorf("tensor %q: got %s of shape %v, want F64 or F32 with the layers first", name, t.DType, t.Shape)
		}
		sources = append(sources, t)
	}
	values, err := layerValues(ctx, file, sources, parts.list[at], run.Meta.Depth, q)
	if err != nil {
		return pathCurve{}, parts, err
	}
	c := pathCurve{Run: r.ID, Depth: r.Depth, Seed: r.Seed}
	scale := math.Pow(float64(run.Meta.Depth), parts.power)
	for k, v := range values {
		c.X, c.Y = append(c.X, float64(k+1)/float64(run.Meta.Depth)), append(c.Y, scale*v)
	}
	return c, parts, nil
}

// layerShape returns the shape of a layer of a tensor (L,r,c), (L,r) or (L).
func layerShape(t runfolder.TensorInfo, depth int) (rows, cols int, ok bool) {
	if len(t.Shape) < 1 || len(t.Shape) > 3 || t.Shape[0] != depth || t.DType != "F64" && t.DType != "F32" {
		return 0, 0, false
	}
	shape := append(slices.Clone(t.Shape[1:]), 1, 1)
	return shape[0], shape[1], shape[0] > 0 && shape[1] > 0 && shape[0]*shape[1] <= maxLayer/8
}

// layerValues returns one number of each layer of a tensor, or of the difference of two.
func layerValues(ctx context.Context, file *os.File, sources []runfolder.TensorInfo, shape partInfo, depth int, q pathQuery) ([]float64, error) {
	size := shape.Rows * shape.Cols
	readers := make([]io.Reader, len(sources))
	for i, t := range sources {
		if t.Count != size*depth {
			return nil, fmt.Errorf("tensor %q: got %d entries, want %d", t.Name, t.Count, size*depth)
		}
		readers[i] = bufio.NewReaderSize(io.NewSectionReader(file, t.Offset, int64(t.Count)*8), 1<<16)
	}
	values := make([]float64, depth)
	layer, other := make([]float64, size), make([]float64, size)
	for k := range values {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := readLayer(readers[0], sources[0].DType, layer); err != nil {
			return nil, err
		}
		if len(readers) > 1 {
			if err := readLayer(readers[1], sources[1].DType, other); err != nil {
				return nil, err
			}
			for i := range layer {
				layer[i] -= other[i]
			}
		}
		if q.row > 0 {
			values[k] = layer[(q.row-1)*shape.Cols+q.col-1]
			continue
		}
		sum := 0.0
		for _, v := range layer {
			sum = math.Hypot(sum, v)
		}
		values[k] = sum
	}
	return values, nil
}

// readLayer reads the next entries of a tensor.
func readLayer(r io.Reader, dtype string, layer []float64) error {
	var word [8]byte
	for i := range layer {
		if dtype == "F32" {
			if _, err := io.ReadFull(r, word[:4]); err != nil {
				return err
			}
			layer[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(word[:])))
			continue
		}
		if _, err := io.ReadFull(r, word[:]); err != nil {
			return err
		}
		layer[i] = math.Float64frombits(binary.LittleEndian.Uint64(word[:]))
	}
	return nil
}

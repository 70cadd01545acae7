package runfolder

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path/filepath"

	"github.com/parquet-go/parquet-go"

	"github.com/deeplimit/deeplimit/certify"
	"github.com/deeplimit/deeplimit/internal/tensorheader"
)

// The files of a Certification.
const (
	certificatesFile = "certificates.json"
	measuredFile     = "certificates.parquet"
	promisesFile     = "promises.parquet"
)

// A Certification is what a run leaves behind for package certify:
//
//	certificates.json      this struct
//	certificates.parquet   Measurements, one row each; lists have one entry for each layer
//	promises.parquet       Later, one row for each later iterate held against the certificate
//
// Bounds are not stored: they follow from these numbers.
type Certification struct {
	Cadence string          `json:"cadence"`
	Problem certify.Problem `json:"problem"`
	// History bounds how far the run moved from iteration 0 to the last measurement.
	History certify.History `json:"history"`
	// Certificates holds the certificate of convergence once it is issued.
	Certificates []certify.Certificate `json:"certificates"`
	// Refusals say why there was none, for each iteration that asked for one.
	Refusals []Refusal `json:"refusals"`
	// Curvatures are the extreme eigenvalues, where they were asked for.
	Curvatures []Curvature `json:"curvatures,omitempty"`
	// Kernel is what the tangent kernel of the last iterate proves; nil where it was not asked for.
	Kernel *certify.Kernel `json:"kernel,omitempty"`
	// Violation is the first promise that was broken, "" when none was.
	Violation string `json:"violation,omitempty"`
	// Notes say what was left out, and why.
	Notes []string `json:"notes,omitempty"`

	Measurements []certify.Measurement `json:"-"`
	Later        []certify.Later       `json:"-"`
}

// A Refusal says why no certificate was issued at an iteration.
type Refusal struct {
	Iteration int64  `json:"iteration"`
	Reason    string `json:"reason"`
	// Closure is the least (2g√(2J)/μ̄)/w that the search met, 1 being enough; nil where
	// a hypothesis fails or no radius has a positive μ̄.
	Closure *float64 `json:"closure,omitempty"`
}

// A Curvature holds extreme eigenvalues at an iterate, each where it was asked for.
type Curvature struct {
	Iteration int64     `json:"iteration"`
	Hessian   *Spectrum `json:"hessian,omitempty"`
	// StepSize is the η of the step that leaves the iterate; nil at the last one.
	StepSize *float64 `json:"step_size,omitempty"`
	Gram     *Gram    `json:"gram,omitempty"`
}

// A Gram holds the smallest eigenvalue of the neural tangent matrix (1/N) D Dᵀ, D the
// derivative of all outputs by the trained parameters, and what rounding may add to it.
// With squared loss ‖∇J‖² ≥ 2 Smallest J.
type Gram struct {
	Smallest float64 `json:"smallest"`
	Residual float64 `json:"residual"`
}

// A Spectrum holds the extreme eigenvalues of ∇²J as Lanczos met them, inside the
// true ones; some eigenvalue is within its residual of each.
type Spectrum struct {
	Largest          float64 `json:"largest"`
	LargestResidual  float64 `json:"largest_residual"`
	Smallest         float64 `json:"smallest"`
	SmallestResidual float64 `json:"smallest_residual"`
	// Converged says whether both residuals are as small as was asked for.
	Converged bool `json:"converged"`
	Products  int  `json:"products"` // Hessian-vector products taken
}

// Norm returns the larger |eigenvalue|.
func (s *Spectrum) Norm() float64 { return max(math.Abs(s.Largest), math.Abs(s.Smallest)) }

// laterRow is certify.Later as a row of promises.parquet.
type laterRow struct {
	Iteration int64   `parquet:"iteration"`
	Loss      float64 `parquet:"loss"`
	Movement  float64 `parquet:"movement"`
	StepSum   float64 `parquet:"step_sum"`
	MinStep   float64 `parquet:"min_step"`
	MaxStep   float64 `parquet:"max_step"`
}

// WriteCertification writes the files of c into the run folder dir, for Finish to
// follow with the checksums it returns in Summary.SHA256.
func WriteCertification(dir string, c *Certification) (sums map[string]string, err error) {
	sums = map[string]string{}
	for _, file := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{certificatesFile, func(w io.Writer) error { return encodeJSON(w, c) }},
		{measuredFile, func(w io.Writer) error { return encodeTable(w, c.Measurements) }},
		{promisesFile, func(w io.Writer) error { return encodeTable(w, laterRows(c.Later)) }},
	} {
		if sums[file.name], err = writeFile(dir, file.name, file.write); err != nil {
			return nil, err
		}
	}
	return sums, nil
}

// Certification reads what the run left for package certify, nil when it left
// nothing: cadence off, an unfinished run, or weights from elsewhere.
func (r *Run) Certification() (*Certification, error) {
	if !r.Done() || r.Summary.SHA256[certificatesFile] == "" {
		return nil, nil
	}
	var parts [3][]byte
	for i, name := range []string{certificatesFile, measuredFile, promisesFile} {
		var err error
		if parts[i], err = r.read(name); err != nil {
			return nil, err
		}
	}
	c, err := decodeCertification(parts[0], parts[1], parts[2])
	if err != nil {
		return nil, &DamagedError{filepath.Join(r.Dir, certificatesFile), err}
	}
	return c, nil
}

// Names of a Certification in Checkpoint.Streams.
const certificationStream = "certification/"

// SetCertification puts c into the checkpoint.
func (c *Checkpoint) SetCertification(record *Certification) error {
	var measured, later bytes.Buffer
	err := errors.Join(c.SetProofs(record), encodeTable(&measured, record.Measurements), encodeTable(&later, laterRows(record.Later)))
	if err != nil {
		return fmt.Errorf("runfolder: storing certificates: %w", err)
	}
	c.Streams[certificationStream+measuredFile] = measured.Bytes()
	c.Streams[certificationStream+promisesFile] = later.Bytes()
	return nil
}

// SetProofs puts into the checkpoint what c has beside the tables that a finished run has in files
// of its own, Measurements and Later.
func (c *Checkpoint) SetProofs(record *Certification) error {
	text, err := json.Marshal(record)
	if err != nil {
		return err
	}
	if c.Streams == nil {
		c.Streams = map[string][]byte{}
	}
	c.Streams[certificationStream+certificatesFile] = text
	return nil
}

// Proofs returns what SetProofs put there, nil when it never did.
func (c *Checkpoint) Proofs() (*Certification, error) {
	text, ok := c.Streams[certificationStream+certificatesFile]
	if !ok {
		return nil, nil
	}
	record := &Certification{}
	return record, json.Unmarshal(text, record)
}

// Certification returns what SetCertification put there; an error that wraps
// fs.ErrNotExist when it never did.
func (c *Checkpoint) Certification() (*Certification, error) {
	var parts [3][]byte
	for i, name := range []string{certificatesFile, measuredFile, promisesFile} {
		var ok bool
		if parts[i], ok = c.Streams[certificationStream+name]; !ok {
			return nil, fmt.Errorf("runfolder: checkpoint: %s: %w", name, fs.ErrNotExist)
		}
	}
	return decodeCertification(parts[0], parts[1], parts[2])
}

func decodeCertification(text, measured, later []byte) (*Certification, error) {
	c := &Certification{}
	if err := json.Unmarshal(text, c); err != nil {
		return nil, err
	}
	var err error
	if c.Measurements, err = decodeTable[certify.Measurement](measured); err != nil {
		return nil, fmt.Errorf("%s: %w", measuredFile, err)
	}
	rows, err := decodeTable[laterRow](later)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", promisesFile, err)
	}
	for _, row := range rows {
		c.Later = append(c.Later, certify.Later(row))
	}
	return c, nil
}

func laterRows(later []certify.Later) []laterRow {
	rows := make([]laterRow, len(later))
	for i, l := range later {
		rows[i] = laterRow(l)
	}
	return rows
}

// encodeTable writes rows as encodeTrace does: equal rows give equal bytes.
func encodeTable[R any](w io.Writer, rows []R) error {
	writer := parquet.NewGenericWriter[R](
		w,
		parquet.CreatedBy("deeplimit", "1", "certificates"),
		parquet.Compression(&parquet.Uncompressed),
		parquet.DefaultEncoding(&parquet.Plain),
	)
	if _, err := writer.Write(rows); err != nil {
		return err
	}
	return writer.Close()
}

// decodeTable reads what encodeTable wrote; the caller has compared its checksum.
func decodeTable[R any](data []byte) (rows []R, err error) {
	// The library indexes into pages that a damaged file describes wrongly.
	defer func() {
		if r := recover(); r != nil {
			rows, err = nil, fmt.Errorf("parquet: %v", r)
		}
	}()
	file, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	reader := parquet.NewGenericReader[R](file)
	defer func() { err = errors.Join(err, reader.Close()) }()
	for range file.NumRows() {
		row := make([]R, 1) // fresh, as rows share the reader's slices
		if n, err := reader.Read(row); n != 1 && err != nil {
			return nil, fmt.Errorf("row %d of %d: %w", len(rows), file.NumRows(), tensorheader.NoEOF(err))
		}
		rows = append(rows, row[0])
	}
	return rows, nil
}

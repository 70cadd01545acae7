package kernelproof

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"github.com/deeplimit/deeplimit/certify"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/runfolder"
)

// format names the layout of a Document.
const format = "deeplimit kernel certificate 1"

// A Document is a kernel certificate that others can check from it and from weights.safetensors alone:
// python/verify_certificate.py does so in ball arithmetic. Numbers of claims are hexadecimal floats, each moved to its safe side.
type Document struct {
	Format  string         `json:"format"`
	Run     string         `json:"run"`
	Network map[string]any `json:"network"`
	Bound   string         `json:"bound"`   // of the curvature: cheap or full
	Step    string         `json:"step"`    // that was asked for, "" for the largest
	Weights string         `json:"weights"` // SHA-256 of weights.safetensors
	Inputs  string         `json:"inputs"`  // (N,inputs), base64 of little-endian float64
	Targets string         `json:"targets"` // (N,outputs)
	// Claims are what is stated, and the constants that it follows from.
	Claims map[string]string `json:"claims"`
	// SHA256 is that of the rest, as JSON with sorted keys and no blanks.
	SHA256 string `json:"sha256"`
}

// slack is the relative distance by which claims are weaker than what was computed, so that nobody's rounding decides.
const slack = 0x1p-20

// NewDocument returns the certificate of what was proved about a run; an error where nothing was issued.
func NewDocument(run *runfolder.Run, options Options, k *certify.Kernel) (*Document, error) {
	problem, err := plan.Recorded(run, options.Base)
	if err != nil {
		return nil, err
	}
	claims, err := claimsOf(k, problem)
	if err != nil {
		return nil, err
	}
	net := problem.Network
	d := &Document{
		Format: format, Run: run.Meta.ID, Weights: run.Summary.SHA256["weights.safetensors"], Claims: claims,
		Inputs: encode(problem.Samples.X), Targets: encode(problem.Samples.Y),
		Network: map[string]any{
			"block": net.Block, "activation": net.Activation, "bias": net.Bias, "residual": net.Residual,
			"embed": net.Embed, "readout": net.Readout, "depth": net.Depth, "width": net.Width,
			"hidden": net.Hidden, "inputs": net.Inputs, "outputs": net.Outputs, "samples": len(problem.Samples.Y) / net.Outputs,
		},
	}
	d.Bound = k.Bound
	if options.Step > 0 {
		d.Step = strconv.FormatFloat(options.Step, 'x', -1, 64)
	}
	d.SHA256, err = d.digest()
	return d, err
}

// claimsOf states what was issued with room to all sides.
func claimsOf(k *certify.Kernel, problem *plan.Problem) (map[string]string, error) {
	if k.LambdaMin == nil || !k.Zero.Issued && !k.Descent.Issued {
		return nil, errors.New("got nothing issued to write: " + k.Zero.Why)
	}
	rounding := 0.0
	if p := k.Proven; p != nil {
		bounds := *k
		bounds.Residual, bounds.LambdaMin, bounds.LambdaMax, bounds.NewtonStep = p.Residual, &p.LambdaMin, &p.LambdaMax, &p.NewtonStep
		bounds.Zero, bounds.Descent = p.Zero, p.Descent
		k = &bounds
	} else { // what rounding may do to the outputs, reckoned as a random walk over the layers would be
		size := 0.0
		for _, y := range problem.Samples.Y {
			size += y * y
		}
		rounding = 64 * 0x1p-53 * float64(problem.Network.Depth+1) * (math.Sqrt(size) + k.Residual)
	}
	low, high := *k.LambdaMin*(1-slack), *k.LambdaMax*(1+slack)
	residual := k.Residual*(1+slack) + rounding
	n := float64(len(problem.Samples.Y) / problem.Network.Outputs)
	c := map[string]float64{"lambda_min": low, "lambda_max": high, "residual": residual}
	if k.Zero.Issued && k.Zero.CurvatureGrowth == nil {
		newton, m := *k.NewtonStep*(1+slack)+rounding/math.Sqrt(low), *k.Zero.CurvatureInBall*(1+slack)
		length, ok := lengthOf(m, newton, low)
		if radius := max(k.Zero.Radius, 0); ok && length <= radius {
			c["zero.newton_step"], c["zero.curvature"], c["zero.radius"], c["zero.distance"] = newton, m, radius, length
		}
	}
	if k.Descent.Issued && k.Descent.CurvatureGrowth == nil && *k.Descent.Step <= *k.Descent.StepMax {
		m := *k.Descent.CurvatureInBall * (1 + slack)
		length, ok := lengthOf(m, residual/math.Sqrt(low), low)
		if ok && length <= k.Descent.Radius {
			beta := math.Sqrt(high) + m*length
			most := n / (beta * beta) * (1 - slack)
			step := min(*k.Descent.Step, most)
			nu := step / n
			q := 1 - nu*(low-2*m*residual)*(1-0.5*m*nu*residual)
			c["descent.curvature"], c["descent.radius"], c["descent.length"] = m, k.Descent.Radius, length
			c["descent.step_max"], c["descent.step"], c["descent.loss_factor"] = most, step, q*q*(1+0x1p-48)
		}
	}
	if len(c) == 3 && (k.Zero.CurvatureGrowth != nil || k.Descent.CurvatureGrowth != nil) {
		return nil, errors.New("got statements that need curvature_growth, of which a file for others to check holds nothing, want a smaller loss: certify a later iterate")
	}
	if len(c) == 3 {
		return nil, errors.New("got a certificate that rounding may use up (its residual is rounding alone), want one with room: certify an earlier iterate")
	}
	claims := make(map[string]string, len(c))
	for name, v := range c {
		claims[name] = strconv.FormatFloat(v, 'x', -1, 64)
	}
	return claims, nil
}

// lengthOf returns l for the first Newton step of ψ, enlarged; ok is false where h exceeds ½.
func lengthOf(m, first, low float64) (l float64, ok bool) {
	h := m * first / math.Sqrt(low)
	return 2 * first / (1 + math.Sqrt(1-2*h)) * (1 + slack), h <= 0.5
}

func encode(values []float64) string {
	data := make([]byte, 0, 8*len(values))
	for _, v := range values {
		data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
	}
	return base64.StdEncoding.EncodeToString(data)
}

// digest returns the SHA-256 of all but SHA256.
func (d *Document) digest() (string, error) {
	text, err := json.Marshal(map[string]any{
		"format": d.Format, "run": d.Run, "network": d.Network, "weights": d.Weights,
		"inputs": d.Inputs, "targets": d.Targets, "claims": d.Claims, "bound": d.Bound, "step": d.Step,
	})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// Write stores the document as a JSON file.
func (d *Document) Write(path string) error {
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o666)
}

// ReadDocument reads what Write stored, and checks its digest.
func ReadDocument(path string) (*Document, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	d := &Document{}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields() // the digest does not cover them
	if err := decoder.Decode(d); err != nil {
		return nil, fmt.Errorf("%s: got no certificate of deeplimit: %w", filepath.Base(path), err)
	}
	if d.Format != format {
		return nil, fmt.Errorf("%s: got format %q, want %q", filepath.Base(path), d.Format, format)
	}
	digest, err := d.digest()
	if err == nil && digest != d.SHA256 {
		err = fmt.Errorf("%s: got sha256 %s, want %s: the certificate was changed", filepath.Base(path), d.SHA256, digest)
	}
	return d, err
}

// Options returns those that the certificate was made with.
func (d *Document) Options() (Options, error) {
	o := Options{Bound: d.Bound}
	if d.Step == "" {
		return o, nil
	}
	var err error
	if o.Step, err = strconv.ParseFloat(d.Step, 64); err != nil {
		return o, fmt.Errorf("step: got %q, want a number", d.Step)
	}
	return o, nil
}

// Against compares the document with one made afresh from the run: all must be equal but for claims, which may differ by a
// relative 1e-8, far less than slack, as another machine rounds otherwise.
func (d *Document) Against(fresh *Document) error {
	if d.Weights != fresh.Weights {
		return fmt.Errorf("weights: got sha256 %s in the run, the certificate is of %s", fresh.Weights, d.Weights)
	}
	if d.Inputs != fresh.Inputs || d.Targets != fresh.Targets {
		return errors.New("samples: got others in the run than in the certificate")
	}
	a, _ := json.Marshal(d.Network)
	b, _ := json.Marshal(fresh.Network)
	if string(a) != string(b) {
		return fmt.Errorf("network: got %s in the run, the certificate has %s", b, a)
	}
	if d.Run != fresh.Run || d.Bound != fresh.Bound {
		return fmt.Errorf("got a certificate of run %s with bound %s, want %s and %s", d.Run, d.Bound, fresh.Run, fresh.Bound)
	}
	if len(d.Claims) != len(fresh.Claims) {
		return fmt.Errorf("claims: got %d, the run gives %d", len(d.Claims), len(fresh.Claims))
	}
	for name, text := range d.Claims {
		got, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("claims: %s: got %q, want a number", name, text)
		}
		want, err := strconv.ParseFloat(fresh.Claims[name], 64)
		if err != nil || !(math.Abs(got-want) <= 1e-8*math.Abs(want)) {
			return fmt.Errorf("claims: %s: got %v, the run gives %s", name, got, fresh.Claims[name])
		}
	}
	return nil
}

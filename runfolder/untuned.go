package runfolder

import (
	"io"
	"reflect"

	"github.com/parquet-go/parquet-go"
)

// encodeUntuned writes rows without the columns of a validation set, which a trace has only where
// there is one: other traces are, to the byte, as they are without such columns.
func encodeUntuned(out io.Writer, rows []Row, options []parquet.WriterOption) error {
	all := rows
	// The first fields of the other Row; its name is that of the schema.
	type Row struct {
		Iteration    int64    `parquet:"iteration"`
		Loss         *float64 `parquet:"loss,optional"`
		BatchLoss    *float64 `parquet:"batch_loss,optional"`
		GradientNorm *float64 `parquet:"gradient_norm,optional"`
		StepSize     *float64 `parquet:"step_size,optional"`
		PLRatio      *float64 `parquet:"pl_ratio,optional"`
		MaxFrobenius float64  `parquet:"max_frobenius"`
		RootSquares  float64  `parquet:"root_sum_squares"`
		Displacement float64  `parquet:"displacement"`
		Accuracy     *float64 `parquet:"accuracy,optional"`
		TestLoss     *float64 `parquet:"test_loss,optional"`
		TestAccuracy *float64 `parquet:"test_accuracy,optional"`
		Variation1   *float64 `parquet:"v_1,optional"`
		Variation15  *float64 `parquet:"v_1.5,optional"`
		Variation2   *float64 `parquet:"v_2,optional"`
		Variation25  *float64 `parquet:"v_2.5,optional"`
		Variation3   *float64 `parquet:"v_3,optional"`
		Seconds      float64  `parquet:"seconds"`
	}
	few := make([]Row, len(all))
	for i := range few {
		to, from := reflect.ValueOf(&few[i]).Elem(), reflect.ValueOf(&all[i]).Elem()
		for j := range to.NumField() {
			to.Field(j).Set(from.Field(j))
		}
	}
	return encodeRows(out, few, options)
}

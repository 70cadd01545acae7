package runfolder

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strconv"

	"github.com/deeplimit/deeplimit/internal/disk"
)

// AppendLive adds rows to live.jsonl, which shows the trace of a run while it grows:
// one JSON object a line, with the column names of trace.parquet, columns that are
// null left out, and "NaN", "+Inf", "-Inf" for what JSON has no number for. It is for
// looking at alone: nothing is synced, and no result comes from it. A file that is not
// there is not made (fs.ErrNotExist): the run may have been finished by another worker.
func AppendLive(dir string, rows []Row) error { return writeLive(dir, rows, os.O_APPEND) }

// RewriteLive makes live.jsonl with these rows, in the place of an earlier one.
func RewriteLive(dir string, rows []Row) error {
	return writeLive(dir, rows, os.O_CREATE|os.O_TRUNC)
}

func writeLive(dir string, rows []Row, mode int) error {
	var text []byte
	for i := range rows {
		text = appendRow(text, &rows[i])
	}
	file, err := disk.OpenFile(filepath.Join(dir, liveFile), os.O_WRONLY|mode, 0o644)
	if err == nil {
		_, err = file.Write(text)
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		return fmt.Errorf("runfolder: live trace: %w", err)
	}
	return nil
}

// maxLine is more than a row of the live trace has.
const maxLine = 64 << 10

// ReadLive returns the rows of live.jsonl from offset on and the offset behind them; a
// line that is still being written is left for the next call. No file is no rows and
// offset 0; a file that has become shorter was written anew and is read from its start.
func ReadLive(dir string, offset int64) (rows []Row, next int64, err error) {
	file, err := disk.Open(filepath.Join(dir, liveFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, offset, fmt.Errorf("runfolder: live trace: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, offset, fmt.Errorf("runfolder: live trace: %w", err)
	}
	if info.Size() < offset {
		offset = 0
	}
	if err := checkSize(file.Name(), info.Size()-offset); err != nil {
		return nil, offset, fmt.Errorf("runfolder: live trace: %w", err)
	}
	lines := bufio.NewReaderSize(io.NewSectionReader(file, offset, info.Size()-offset), maxLine)
	whole := offset // end of the last whole line
	for {
		line, err := lines.ReadSlice('\n')
		whole += int64(len(line))
		if errors.Is(err, bufio.ErrBufferFull) { // no row is so long
			continue
		}
		if err == io.EOF {
			return rows, offset, nil
		}
		if err != nil {
			return rows, offset, fmt.Errorf("runfolder: live trace: %w", err)
		}
		offset = whole
		// Two workers may have written at once, one of which did not know yet that it has
		// lost the run: what they garbled is passed over.
		if row, err := parseRow(line); err == nil {
			rows = append(rows, row)
		}
	}
}

// appendRow adds one row as a line.
func appendRow(text []byte, row *Row) []byte {
	value := reflect.ValueOf(row).Elem()
	text = append(text, '{')
	for i, name := range traceColumns {
		field := value.Field(i)
		if field.Kind() == reflect.Pointer {
			if field.IsNil() {
				continue
			}
			field = field.Elem()
		}
		if text[len(text)-1] != '{' {
			text = append(text, ',')
		}
		text = append(append(append(text, '"'), name...), `":`...)
		if field.Kind() == reflect.Int64 {
			text = strconv.AppendInt(text, field.Int(), 10)
			continue
		}
		x := field.Float()
		if math.IsNaN(x) || math.IsInf(x, 0) {
			text = append(strconv.AppendFloat(append(text, '"'), x, 'g', -1, 64), '"')
			continue
		}
		text = strconv.AppendFloat(text, x, 'g', -1, 64)
	}
	return append(text, "}\n"...)
}

// parseRow reads what appendRow wrote.
func parseRow(line []byte) (Row, error) {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(line, &values); err != nil {
		return Row{}, err
	}
	var row Row
	fields := reflect.ValueOf(&row).Elem()
	for i, name := range traceColumns {
		text, ok := values[name]
		if !ok {
			continue
		}
		x, err := strconv.ParseFloat(string(bytes.Trim(text, `"`)), 64)
		if err != nil {
			return Row{}, err
		}
		switch field := fields.Field(i); field.Kind() {
		case reflect.Int64:
			field.SetInt(int64(x))
		case reflect.Pointer:
			field.Set(reflect.ValueOf(&x))
		default:
			field.SetFloat(x)
		}
	}
	return row, nil
}

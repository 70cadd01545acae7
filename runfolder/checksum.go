package runfolder

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// noChecksum stands in a file for its own checksum while that is being computed.
var noChecksum = strings.Repeat("0", 64)

// encodeWithChecksum returns a JSON object as encodeJSON writes it, with one more field at its
// end: checksum, the SHA-256 of the text with this value as 64 zeros.
func encodeWithChecksum(value any) ([]byte, error) {
	var text bytes.Buffer
	if err := encodeJSON(&text, value); err != nil {
		return nil, err
	}
	object, ok := bytes.CutSuffix(text.Bytes(), []byte("\n}\n"))
	if !ok {
		return nil, fmt.Errorf("checksum of %T: want a JSON object with a field", value)
	}
	data := fmt.Appendf(nil, "%s,\n  \"checksum\": %q\n}\n", object, noChecksum)
	copy(data[bytes.LastIndex(data, []byte(noChecksum)):], digestOf(data))
	return data, nil
}

// writeWithChecksum writes what encodeWithChecksum returns.
func writeWithChecksum(w io.Writer, value any) error {
	data, err := encodeWithChecksum(value)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

// checksumOf returns the checksum that a file of encodeWithChecksum ends with, if it is right.
func checksumOf(data []byte) (string, error) {
	var file struct {
		Checksum string `json:"checksum"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return "", err
	}
	blank, err := withoutChecksum(data, file.Checksum)
	if err != nil {
		return "", err
	}
	if got := digestOf(blank); got != file.Checksum {
		return "", fmt.Errorf("sha256 is %s, want %s", got, file.Checksum)
	}
	return file.Checksum, nil
}

// decodeWithChecksum reads what encodeWithChecksum wrote, after a look at the checksum.
func decodeWithChecksum(data []byte, value any) error {
	if _, err := checksumOf(data); err != nil {
		return err
	}
	return json.Unmarshal(data, value)
}

// withoutChecksum returns a copy of data in which the last occurrence of checksum
// is replaced by zeros.
func withoutChecksum(data []byte, checksum string) ([]byte, error) {
	at := bytes.LastIndex(data, []byte(checksum))
	if len(checksum) != len(noChecksum) || at < 0 {
		return nil, fmt.Errorf("checksum: got %q, want 64 hexadecimal digits", checksum)
	}
	blank := bytes.Clone(data)
	copy(blank[at:], noChecksum)
	return blank, nil
}

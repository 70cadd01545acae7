package tensorfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Values of a pickle are nil, bool, int64, float64, string, tuple, *list, *dict, and global,
// call, built and persistent.
type (
	tuple []any
	list  []any
	// dict keeps the order of its items, as Python does. Keys may occur twice.
	dict struct{ keys, values []any }
	// global is the name of a class or function, which is never called.
	global struct{ module, name string }
	// call stands for the result of calling fn.
	call struct {
		fn   any
		args tuple
	}
	// built is an object with its attributes.
	built struct {
		call
		state any
	}
	// persistent is a reference to something outside the pickle: a storage of numbers.
	persistent struct{ id any }
	// mark divides the stack.
	mark struct{}
)

// unpickle interprets the opcodes of data and returns the value that they build. It runs no
// code: calls are recorded as values. It knows the opcodes that Python writes for plain data
// in protocols 2 to 5. Memory is bounded, because every length is compared with the rest of
// data and the number of values is limited.
func unpickle(data []byte) (any, error) {
	m := machine{data: data}
	return m.next()
}

// next returns the value of the next pickle of the data.
func (m *machine) next() (any, error) {
	m.memo, m.stack = map[uint32]any{}, nil
	for {
		at := m.at
		op, err := m.take(1)
		if err == nil {
			var done bool
			if done, err = m.step(op[0]); done {
				return m.pop()
			}
		}
		if err != nil {
			return nil, fmt.Errorf("pickle: byte %d: %w", at, err)
		}
	}
}

type machine struct {
	data   []byte
	at     int
	stack  []any
	memo   map[uint32]any
	values int // opcodes interpreted, each builds at most one value
	// references are those to storages, in the order of the data.
	references []persistent
}

// maxValues bounds what a pickle may build. A tensor takes about 40 opcodes, and a value
// no more than 200 bytes here.
const maxValues = 1 << 20

var (
	errCut   = errors.New("the file is cut short")
	errStack = errors.New("got an opcode without the values it works on")
)

// take returns the next n bytes.
func (m *machine) take(n uint64) ([]byte, error) {
	if n > uint64(len(m.data)-m.at) {
		return nil, errCut
	}
	part := m.data[m.at : m.at+int(n)]
	m.at += int(n)
	return part, nil
}

// number returns the next size bytes as a little-endian number.
func (m *machine) number(size uint64) (uint64, error) {
	part, err := m.take(size)
	var wide [8]byte
	copy(wide[:], part)
	return binary.LittleEndian.Uint64(wide[:]), err
}

// text returns the string whose length stands in the next size bytes.
func (m *machine) text(size uint64) (string, error) {
	n, err := m.number(size)
	if err != nil {
		return "", err
	}
	part, err := m.take(n)
	return string(part), err
}

// line returns the rest of the line.
func (m *machine) line() (string, error) {
	end := bytes.IndexByte(m.data[m.at:], '\n')
	if end < 0 {
		return "", errCut
	}
	part, err := m.take(uint64(end) + 1)
	return string(part[:end]), err
}

func (m *machine) push(v any) { m.stack = append(m.stack, v) }

// pop removes and returns the top of the stack, which must not be a mark.
func (m *machine) pop() (any, error) {
	if len(m.stack) == 0 {
		return nil, errStack
	}
	v := m.stack[len(m.stack)-1]
	if _, ok := v.(mark); ok {
		return nil, errStack
	}
	m.stack = m.stack[:len(m.stack)-1]
	return v, nil
}

// popMark removes the last mark and returns the values above it.
func (m *machine) popMark() (tuple, error) {
	for i := len(m.stack) - 1; i >= 0; i-- {
		if _, ok := m.stack[i].(mark); ok {
			values := append(tuple{}, m.stack[i+1:]...)
			m.stack = m.stack[:i]
			return values, nil
		}
	}
	return nil, errStack
}

// popTuple removes n values and returns them as a tuple.
func (m *machine) popTuple(n int) (tuple, error) {
	values := make(tuple, n)
	for i := n - 1; i >= 0; i-- {
		var err error
		if values[i], err = m.pop(); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// step interprets one opcode, which builds at most one value; done reports the last one.
func (m *machine) step(op byte) (done bool, err error) {
	if m.values++; m.values > maxValues {
		return false, fmt.Errorf("got more than %d values; %s", maxValues, resave)
	}
	switch op {
	case '.': // STOP
		return true, nil
	case 0x80: // PROTO
		_, err = m.take(1)
	case 0x95: // FRAME: its length is not needed
		_, err = m.take(8)
	case '(': // MARK
		m.push(mark{})
	case '0': // POP
		_, err = m.pop()
	case '1': // POP_MARK
		_, err = m.popMark()
	case 'N', 0x88, 0x89, 'K', 'M', 'J', 0x8a, 0x8b, 'G', 'X', 0x8c, 0x8d, 'U', 'T', 'C', 'B', 0x8e, 0x96:
		var v any
		if v, err = m.literal(op); err == nil {
			m.push(v)
		}
	case 'q', 'r', 0x94, 'h', 'j':
		err = m.remember(op)
	case '2': // DUP
		if err = errStack; len(m.stack) > 0 {
			m.push(m.stack[len(m.stack)-1])
			err = nil
		}
	case ')', 't', 0x85, 0x86, 0x87, ']', 0x8f, '}', 'a', 'e', 0x90, 0x91, 's', 'u':
		err = m.collect(op)
	case 'c', 0x93, 'R', 0x81, 0x92, 'b', 'Q':
		err = m.object(op)
	default:
		err = fmt.Errorf("got opcode %#x, want those of plain data; %s", op, resave)
	}
	return false, err
}

// literal returns the value of an opcode that holds one.
func (m *machine) literal(op byte) (any, error) {
	integer := func(size uint64) (any, error) {
		v, err := m.number(size)
		return int64(v), err
	}
	switch op {
	case 0x88, 0x89: // NEWTRUE, NEWFALSE
		return op == 0x88, nil
	case 'K': // BININT1
		return integer(1)
	case 'M': // BININT2
		return integer(2)
	case 'J': // BININT
		v, err := m.number(4)
		return int64(int32(v)), err
	case 0x8a, 0x8b: // LONG1, LONG4
		return m.long(op)
	case 'G': // BINFLOAT, big-endian
		part, err := m.take(8)
		if err != nil {
			return nil, err
		}
		return math.Float64frombits(binary.BigEndian.Uint64(part)), nil
	case 'X', 'B', 'T': // BINUNICODE, BINBYTES, BINSTRING
		return m.text(4)
	case 0x8d, 0x8e, 0x96: // BINUNICODE8, BINBYTES8, BYTEARRAY8
		return m.text(8)
	case 0x8c, 'U', 'C': // SHORT_BINUNICODE, SHORT_BINSTRING, SHORT_BINBYTES
		return m.text(1)
	}
	return nil, nil // NONE
}

// long returns an integer in two's complement, and nil for one beyond int64, which cannot be
// a shape or an offset.
func (m *machine) long(op byte) (any, error) {
	size := uint64(1)
	if op == 0x8b {
		size = 4
	}
	text, err := m.text(size)
	if err != nil || len(text) > 8 {
		return nil, err
	}
	v := int64(0)
	for i := range len(text) {
		v |= int64(text[i]) << (8 * i)
	}
	if n := len(text); n > 0 && n < 8 && text[n-1]&0x80 != 0 {
		v -= 1 << (8 * n)
	}
	return v, nil
}

// remember stores the top of the stack in the memo, or pushes a value from the memo.
func (m *machine) remember(op byte) (err error) {
	var key uint64
	switch op {
	case 0x94: // MEMOIZE
		key = uint64(len(m.memo))
	case 'q', 'h': // BINPUT, BINGET
		key, err = m.number(1)
	default: // LONG_BINPUT, LONG_BINGET
		key, err = m.number(4)
	}
	if err != nil {
		return err
	}
	if op == 'h' || op == 'j' {
		v, ok := m.memo[uint32(key)]
		if !ok {
			return fmt.Errorf("got a reference to value %d, which is not there", key)
		}
		m.push(v)
		return nil
	}
	if len(m.stack) == 0 {
		return errStack
	}
	m.memo[uint32(key)] = m.stack[len(m.stack)-1]
	return nil
}

// collect builds tuples, lists and dictionaries.
func (m *machine) collect(op byte) error {
	var values tuple
	var err error
	switch op {
	case ')', 0x85, 0x86, 0x87: // EMPTY_TUPLE, TUPLE1, TUPLE2, TUPLE3
		if op == ')' {
			op = 0x84
		}
		values, err = m.popTuple(int(op - 0x84))
	case ']', 0x8f: // EMPTY_LIST, EMPTY_SET
		m.push(&list{})
		return nil
	case '}': // EMPTY_DICT
		m.push(&dict{})
		return nil
	case 'a': // APPEND
		values, err = m.popTuple(1)
	case 's': // SETITEM
		values, err = m.popTuple(2)
	default: // TUPLE, APPENDS, ADDITEMS, FROZENSET, SETITEMS
		values, err = m.popMark()
	}
	if err != nil {
		return err
	}
	switch op {
	case 'a', 'e', 0x90:
		return m.extend(values)
	case 's', 'u':
		return m.setItems(values)
	}
	m.push(values)
	return nil
}

// extend appends to the list on top of the stack, and drops what is appended to other objects.
func (m *machine) extend(values tuple) error {
	if len(m.stack) == 0 {
		return errStack
	}
	if l, ok := m.stack[len(m.stack)-1].(*list); ok {
		*l = append(*l, values...)
	}
	return nil
}

// setItems adds alternating keys and values to the dictionary on top of the stack, and drops
// those of other objects.
func (m *machine) setItems(values tuple) error {
	if len(m.stack) == 0 || len(values)%2 != 0 {
		return errStack
	}
	d, ok := m.stack[len(m.stack)-1].(*dict)
	if !ok {
		return nil
	}
	for i := 0; i < len(values); i += 2 {
		d.keys = append(d.keys, values[i])
		d.values = append(d.values, values[i+1])
	}
	return nil
}

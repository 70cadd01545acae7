package table

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"strconv"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/deeplimit/deeplimit/internal/half"
)

// text writes a value that is not null. A truth is 0 or 1 as a number, and false or true as a word.
func (c *parquetColumn) text(v parquet.Value, word bool) string {
	switch {
	case c.decimal:
		return c.unscaled(v).String() + "e" + strconv.Itoa(-int(c.scale))
	case c.half:
		return float(half.Float64(binary.LittleEndian.Uint16(v.ByteArray())))
	}
	switch c.physical {
	case format.Boolean:
		if word {
			return strconv.FormatBool(v.Boolean())
		}
		if v.Boolean() {
			return "1"
		}
		return "0"
	case format.Int32:
		if c.unsigned {
			return strconv.FormatUint(uint64(v.Uint32()), 10)
		}
		return strconv.FormatInt(int64(v.Int32()), 10)
	case format.Int64:
		if c.unsigned {
			return strconv.FormatUint(v.Uint64(), 10)
		}
		return strconv.FormatInt(v.Int64(), 10)
	case format.Float:
		return float(float64(v.Float()))
	case format.Double:
		return float(v.Double())
	}
	return string(v.ByteArray())
}

func float(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// unscaled returns the integer of a decimal: a number, or bytes in two's complement, the highest first.
func (c *parquetColumn) unscaled(v parquet.Value) *big.Int {
	switch c.physical {
	case format.Int32:
		return big.NewInt(int64(v.Int32()))
	case format.Int64:
		return big.NewInt(v.Int64())
	case format.ByteArray, format.FixedLenByteArray:
		data := v.ByteArray()
		n := new(big.Int).SetBytes(data)
		if len(data) > 0 && data[0] >= 0x80 {
			n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(data))))
		}
		return n
	}
	panic(fmt.Sprintf("a decimal of type %v", c.physical))
}

package grouped_test

import (
	"fmt"

	"github.com/deeplimit/deeplimit/internal/grouped"
)

func ExampleBy() {
	fmt.Println(grouped.By([]int{3, 8, 1, 6, 5}, func(v int) bool { return v%2 == 0 }))
	fmt.Println(len(grouped.By(nil, func(v int) int { return v })))
	// Output:
	// [[3 1 5] [8 6]]
	// 0
}

package disk

import "golang.org/x/sys/windows"

// Free returns the free space of the disk that holds an existing folder, as far
// as this user may fill it.
func Free(dir string) (float64, error) {
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	var free uint64
	err = windows.GetDiskFreeSpaceEx(name, &free, nil, nil)
	return float64(free), err
}

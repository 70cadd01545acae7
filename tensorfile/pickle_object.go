package tensorfile

// object handles what Python would turn into classes and calls.
func (m *machine) object(op byte) error {
	switch op {
	case 'c': // GLOBAL
		module, err := m.line()
		if err != nil {
			return err
		}
		name, err := m.line()
		m.push(global{module, name})
		return err
	case 'Q': // BINPERSID
		id, err := m.pop()
		m.push(persistent{id})
		m.references = append(m.references, persistent{id})
		return err
	}
	if op == 0x92 { // NEWOBJ_EX: NEWOBJ with keyword arguments, which are dropped
		if _, err := m.pop(); err != nil {
			return err
		}
	}
	pair, err := m.popTuple(2)
	if err != nil {
		return err
	}
	switch op {
	case 0x93: // STACK_GLOBAL
		module, ok := pair[0].(string)
		name, ok2 := pair[1].(string)
		if !ok || !ok2 {
			return errStack
		}
		m.push(global{module, name})
	case 'b': // BUILD: attributes of an object; those of a dictionary are versions of modules
		if c, ok := pair[0].(call); ok {
			m.push(built{c, pair[1]})
			return nil
		}
		m.push(pair[0])
	default: // REDUCE, NEWOBJ, NEWOBJ_EX
		args, ok := pair[1].(tuple)
		if !ok {
			return errStack
		}
		if pair[0] == (global{"collections", "OrderedDict"}) {
			if d, ok := orderedDict(args); ok {
				m.push(d)
				return nil
			}
		}
		m.push(call{pair[0], args})
	}
	return nil
}

// orderedDict returns the dictionary that OrderedDict() or OrderedDict([[key, value], …]) makes, as Python 2 wrote it.
func orderedDict(args tuple) (*dict, bool) {
	d := &dict{}
	if len(args) == 0 {
		return d, true
	}
	items, ok := args[0].(*list)
	if !ok || len(args) > 1 {
		return nil, false
	}
	for _, item := range *items {
		pair, ok := item.(tuple)
		if l, isList := item.(*list); isList {
			pair, ok = tuple(*l), true
		}
		if !ok || len(pair) != 2 {
			return nil, false
		}
		d.keys, d.values = append(d.keys, pair[0]), append(d.values, pair[1])
	}
	return d, true
}

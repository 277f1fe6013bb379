package check

import "github.com/tandem-go/tandem/internal/ptx"

// call checks a call: the callee, and its arguments against the declaration or prototype.
func (c *funcChecker) call(in *Instr) {
	src := in.Src.Call
	call := &Call{Target: NoReg}
	in.Call = call
	call.Rets, call.Args = c.arguments(src.Rets), c.arguments(src.Args)
	var target Arg
	c.resolve(&target, &src.Target)
	switch {
	case target.broken():
		return
	case target.Kind == ArgAddr && target.Func != nil:
		if target.Func.Entry {
			c.errorf(src.Target.Pos, "call of kernel %s", src.Target.Name)
			return
		}
		call.Func = target.Func
		call.RetVars, call.ParamVars = call.Func.Rets, call.Func.Params
		if src.Proto != "" {
			c.errorf(src.ProtoPos, "call of %s: a direct call has no prototype", src.Target.Name)
		}
	case target.Kind == ArgReg && target.Type.Bits() == c.out.AddressBits && target.Type.Class() != ptx.Float:
		call.Target = target.Reg
		if !c.indirect(call, src) {
			return
		}
	default:
		c.errorf(src.Target.Pos, "call: %s is neither a function nor a register that can hold its address", src.Target.Name)
		return
	}
	c.passes(in, call.Rets, call.RetVars, "return value")
	c.passes(in, call.Args, call.ParamVars, "argument")
}

func (c *funcChecker) arguments(list []ptx.Operand) []Arg {
	args := make([]Arg, len(list))
	for i := range list {
		c.resolve(&args[i], &list[i])
	}
	return args
}

// indirect finds the prototype or list of functions of an indirect call.
func (c *funcChecker) indirect(call *Call, src *ptx.Call) bool {
	if src.Proto == "" {
		c.errorf(src.Target.Pos, "call of %s: an indirect call needs a prototype", src.Target.Name)
		return false
	}
	sym, ok := c.lookup(src.Proto)
	switch {
	case !ok:
		c.errorf(src.ProtoPos, "prototype %s is not declared", src.Proto)
	case sym.proto != nil:
		call.RetVars, call.ParamVars = sym.proto.rets, sym.proto.params
		return true
	case sym.targets != nil && sym.targets.Calls:
		call.Candidates = c.lists[sym.targets].funcs
		if len(call.Candidates) == 0 {
			return false // reported with the list
		}
		call.RetVars, call.ParamVars = call.Candidates[0].Rets, call.Candidates[0].Params
		return true
	default:
		c.errorf(src.ProtoPos, "%s is neither a prototype nor a list of functions", src.Proto)
	}
	return false
}

// passes checks arguments or return values one by one.
func (c *funcChecker) passes(in *Instr, args []Arg, vars []*Var, what string) {
	if len(args) != len(vars) {
		c.errorf(in.Src.Pos, "call of %s: want %s, have %d", in.Src.Call.Target.Name, plural(len(vars), what), len(args))
		return
	}
	for i := range args {
		a, v := &args[i], vars[i]
		ok := false
		switch a.Kind {
		case argBroken:
			continue
		case ArgParam:
			ok = v.Space == ptx.ParamSpace && (a.Var.Size == v.Size || v.Size == 0) && a.Imm == 0
		case ArgReg:
			ok = !a.Not && !a.Minus && v.Decl.Dims == nil && fits(v.Decl.Type, a.Type, v.Decl.Type.Bits() < 32)
		case ArgImm:
			ok = what == "argument" && v.Decl.Dims == nil && c.constant(a, v.Decl.Type)
		case ArgSink:
			ok = what == "return value"
		}
		if !ok {
			c.errorf(a.Pos, "call of %s: %s %d is %s that does not fit %s", in.Src.Call.Target.Name, what, i+1, a.describe(), v.Decl)
		}
	}
}

// constant converts a constant argument to the type of the parameter.
func (c *funcChecker) constant(a *Arg, t ptx.Type) bool {
	switch {
	case a.Type == ptx.F32 || a.Type == ptx.F64:
		v, ok := floatBits(a.Imm, a.Type == ptx.F32, t)
		a.Imm, a.Type = v, t
		return ok
	case t.Class() == ptx.Float:
		return false
	case t.Bits() < 64:
		a.Imm &= 1<<t.Bits() - 1
	}
	a.Type = t
	return true
}

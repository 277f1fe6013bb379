// Part of Tandem: empty, since the compiler knows all of it that device code can use.

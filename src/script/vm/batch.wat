;; Reads and writes whole tables of Lua in one call: from JavaScript, each key and each value would take three or
;; four calls, which cost more than the work of Lua in them. batch_module.ts describes the records of 16 bytes.
(module
  (import "lua" "memory" (memory 1))
  (import "lua" "lua_type" (func $lua_type (param i32 i32) (result i32)))
  (import "lua" "lua_next" (func $lua_next (param i32 i32) (result i32)))
  (import "lua" "lua_checkstack" (func $lua_checkstack (param i32 i32) (result i32)))
  (import "lua" "lua_getmetatable" (func $lua_getmetatable (param i32 i32) (result i32)))
  (import "lua" "lua_toboolean" (func $lua_toboolean (param i32 i32) (result i32)))
  (import "lua" "lua_topointer" (func $lua_topointer (param i32 i32) (result i32)))
  (import "lua" "lua_rawlen" (func $lua_rawlen (param i32 i32) (result i64)))
  (import "lua" "lua_tonumberx" (func $lua_tonumberx (param i32 i32 i32) (result f64)))
  (import "lua" "lua_tolstring" (func $lua_tolstring (param i32 i32 i32) (result i32)))
  (import "lua" "lua_settop" (func $lua_settop (param i32 i32)))
  (import "lua" "lua_pushnil" (func $lua_pushnil (param i32)))
  (import "lua" "lua_pushboolean" (func $lua_pushboolean (param i32 i32)))
  (import "lua" "lua_pushnumber" (func $lua_pushnumber (param i32 f64)))
  (import "lua" "lua_pushinteger" (func $lua_pushinteger (param i32 i64)))
  (import "lua" "lua_pushlstring" (func $lua_pushlstring (param i32 i32 i32) (result i32)))
  (import "lua" "lua_pushvalue" (func $lua_pushvalue (param i32 i32)))
  (import "lua" "lua_createtable" (func $lua_createtable (param i32 i32 i32)))
  (import "lua" "lua_rawset" (func $lua_rawset (param i32 i32)))
  (import "lua" "lua_rawseti" (func $lua_rawseti (param i32 i32 i64)))
  (import "lua" "lua_rawgeti" (func $lua_rawgeti (param i32 i32 i64) (result i32)))

  ;; Writes the records of the value on top of the stack from address $out on.
  ;; Returns the end of the records; 0 if they do not end before $end or cannot express the value.
  (func $dump (export "dump")
    (param $state i32) (param $out i32) (param $end i32) (param $depth i32) (result i32)
    (local $type i32)
    (if (i32.gt_u (i32.add (local.get $out) (i32.const 16)) (local.get $end))
      (then (return (i32.const 0))))
    (local.set $type (call $lua_type (local.get $state) (i32.const -1)))
    (i32.store (local.get $out) (local.get $type))
    (if (i32.eq (local.get $type) (i32.const 3)) ;; LUA_TNUMBER
      (then
        (f64.store offset=8 (local.get $out)
          (call $lua_tonumberx (local.get $state) (i32.const -1) (i32.const 0)))))
    (if (i32.eq (local.get $type) (i32.const 4)) ;; LUA_TSTRING: Lua writes its length at 4
      (then
        (i32.store offset=8 (local.get $out)
          (call $lua_tolstring (local.get $state) (i32.const -1)
            (i32.add (local.get $out) (i32.const 4))))))
    (if (i32.eq (local.get $type) (i32.const 1)) ;; LUA_TBOOLEAN
      (then
        (i32.store offset=8 (local.get $out)
          (call $lua_toboolean (local.get $state) (i32.const -1)))))
    (if (i32.eq (local.get $type) (i32.const 5)) ;; LUA_TTABLE
      (then
        (return
          (call $dump_table (local.get $state) (local.get $out) (local.get $end)
            (local.get $depth)))))
    (i32.add (local.get $out) (i32.const 16)))

  ;; The same for a table: its own record, then records of each key and value.
  (func $dump_table
    (param $state i32) (param $out i32) (param $end i32) (param $depth i32) (result i32)
    (local $at i32) (local $key_type i32) (local $name i32) (local $count i32)
    (local $has_names i32)
    (if (i32.eqz (local.get $depth))
      (then (return (i32.const 0))))
    (if (i32.eqz (call $lua_checkstack (local.get $state) (i32.const 8)))
      (then (return (i32.const 0))))
    (if (call $lua_getmetatable (local.get $state) (i32.const -1))
      (then
        (call $lua_settop (local.get $state) (i32.const -2))
        (return (i32.const 0))))
    (i32.store offset=4 (local.get $out)
      (i32.wrap_i64 (call $lua_rawlen (local.get $state) (i32.const -1))))
    (i32.store offset=8 (local.get $out)
      (call $lua_topointer (local.get $state) (i32.const -1)))
    (local.set $at (i32.add (local.get $out) (i32.const 16)))
    (call $lua_pushnil (local.get $state))
    (block $give_up ;; with the table, a key and its value on the stack
      (block $end_of_table
        (loop $next
          (br_if $end_of_table
            (i32.eqz (call $lua_next (local.get $state) (i32.const -2))))
          (br_if $give_up
            (i32.gt_u (i32.add (local.get $at) (i32.const 16)) (local.get $end)))
          (local.set $key_type (call $lua_type (local.get $state) (i32.const -2)))
          (i32.store (local.get $at) (local.get $key_type))
          (if (i32.eq (local.get $key_type) (i32.const 4)) ;; LUA_TSTRING
            (then
              (local.set $name
                (call $lua_tolstring (local.get $state) (i32.const -2)
                  (i32.add (local.get $at) (i32.const 4))))
              (i32.store offset=8 (local.get $at) (local.get $name))
              (br_if $give_up (i32.eqz (i32.load offset=4 (local.get $at))))
              (br_if $give_up
                (i32.eq (i32.load16_u align=1 (local.get $name)) (i32.const 0x5f5f))) ;; "__"
              (local.set $has_names (i32.const 256))) ;; HAS_NAMES
            (else ;; elements, which have to come in order
              (br_if $give_up (i32.ne (local.get $key_type) (i32.const 3))) ;; LUA_TNUMBER
              (local.set $count (i32.add (local.get $count) (i32.const 1)))
              (br_if $give_up
                (f64.ne
                  (call $lua_tonumberx (local.get $state) (i32.const -2) (i32.const 0))
                  (f64.convert_i32_s (local.get $count))))))
          (local.set $at
            (call $dump (local.get $state)
              (i32.add (local.get $at) (i32.const 16))
              (local.get $end)
              (i32.sub (local.get $depth) (i32.const 1))))
          (br_if $give_up (i32.eqz (local.get $at)))
          (call $lua_settop (local.get $state) (i32.const -2))
          (br $next)))
      (if (i32.ne (local.get $count) (i32.load offset=4 (local.get $out)))
        (then (return (i32.const 0))))
      (i32.store (local.get $out) (i32.or (local.get $has_names) (i32.const 5))) ;; LUA_TTABLE
      (i32.store offset=12 (local.get $out) (local.get $at))
      (return (local.get $at)))
    (call $lua_settop (local.get $state) (i32.const -3))
    (i32.const 0))

  ;; Runs the records from address $at up to $end; $references is the stack index of the table of
  ;; references. The most frequent operations come first.
  (func (export "run")
    (param $state i32) (param $at i32) (param $end i32) (param $references i32)
    (local $operation i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $operation (i32.load (local.get $at)))
        (block $carried_out
          (if (i32.eq (local.get $operation) (i32.const 4)) ;; PUSH_STRING
            (then
              (drop
                (call $lua_pushlstring (local.get $state)
                  (i32.load offset=8 (local.get $at))
                  (i32.load offset=4 (local.get $at))))
              (br $carried_out)))
          (if (i32.eq (local.get $operation) (i32.const 6)) ;; SET_FIELD
            (then
              (call $lua_rawset (local.get $state) (i32.const -3))
              (br $carried_out)))
          (if (i32.eq (local.get $operation) (i32.const 7)) ;; SET_ELEMENT
            (then
              (call $lua_rawseti (local.get $state) (i32.const -2)
                (i64.load32_s offset=4 (local.get $at)))
              (br $carried_out)))
          (if (i32.eq (local.get $operation) (i32.const 3)) ;; PUSH_INTEGER
            (then
              (call $lua_pushinteger (local.get $state)
                (i64.trunc_sat_f64_s (f64.load offset=8 (local.get $at))))
              (br $carried_out)))
          (if (i32.eq (local.get $operation) (i32.const 2)) ;; PUSH_NUMBER
            (then
              (call $lua_pushnumber (local.get $state) (f64.load offset=8 (local.get $at)))
              (br $carried_out)))
          (if (i32.eq (local.get $operation) (i32.const 5)) ;; PUSH_TABLE
            (then
              (call $lua_createtable (local.get $state)
                (i32.load offset=4 (local.get $at))
                (i32.load offset=8 (local.get $at)))
              (br $carried_out)))
          (if (i32.eq (local.get $operation) (i32.const 8)) ;; KEEP
            (then
              (call $lua_pushvalue (local.get $state) (i32.const -1))
              (call $lua_rawseti (local.get $state) (local.get $references)
                (i64.load32_s offset=4 (local.get $at)))
              (br $carried_out)))
          (if (i32.eq (local.get $operation) (i32.const 1)) ;; PUSH_BOOLEAN
            (then
              (call $lua_pushboolean (local.get $state) (i32.load offset=4 (local.get $at)))
              (br $carried_out)))
          (if (i32.eq (local.get $operation) (i32.const 0)) ;; PUSH_NIL
            (then
              (call $lua_pushnil (local.get $state))
              (br $carried_out)))
          (if (i32.eq (local.get $operation) (i32.const 9)) ;; PUSH_KEPT
            (then
              (drop
                (call $lua_rawgeti (local.get $state) (local.get $references)
                  (i64.load32_s offset=4 (local.get $at))))
              (br $carried_out)))
          (if (i32.eq (local.get $operation) (i32.const 10)) ;; PUSH_REF
            (then
              (drop
                (call $lua_rawgeti (local.get $state)
                  (i32.const -1001000) ;; LUA_REGISTRYINDEX
                  (i64.load32_s offset=4 (local.get $at)))))))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br $next)))))

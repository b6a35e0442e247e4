;; Functions between Lua and JavaScript that would cost too much in JavaScript.
(module
  (import "lua" "lua_pushinteger" (func $lua_pushinteger (param i32 i64)))
  (import "lua" "lua_rawgeti" (func $lua_rawgeti (param i32 i32 i64) (result i32)))
  (import "lua" "lua_rawseti" (func $lua_rawseti (param i32 i32 i64)))
  (import "lua" "realloc" (func $realloc (param i32 i32) (result i32)))
  (import "lua" "free" (func $free (param i32)))
  (import "js" "hook" (func $hook (param i32 i32)))

  (global $used (export "used") (mut i32) (i32.const 0)) ;; bytes that Lua holds
  (global $limit (export "limit") (mut i32) (i32.const -1)) ;; bytes that Lua may hold, unsigned

  ;; lua_Alloc with a limit: in JavaScript it would double the time of scripts that allocate.
  ;; Lua Reference Manual 5.4, lua_Alloc.
  (func (export "alloc")
    (param $context i32) (param $old i32) (param $old_size i32) (param $new_size i32) (result i32)
    (local $new i32)
    (if (i32.eqz (local.get $old))
      (then (local.set $old_size (i32.const 0)))) ;; a new block: Lua passes its kind instead of a size
    (if (i32.eqz (local.get $new_size))
      (then
        (global.set $used (i32.sub (global.get $used) (local.get $old_size)))
        (call $free (local.get $old))
        (return (i32.const 0))))
    (if (i32.and
          (i32.gt_u (local.get $new_size) (local.get $old_size))
          (i32.gt_u
            (i32.sub (i32.add (global.get $used) (local.get $new_size)) (local.get $old_size))
            (global.get $limit)))
      (then (return (i32.const 0))))
    (local.set $new (call $realloc (local.get $old) (local.get $new_size)))
    (if (local.get $new)
      (then
        (global.set $used
          (i32.sub (i32.add (global.get $used) (local.get $new_size)) (local.get $old_size)))))
    (local.get $new))

  ;; The next three take numbers where Lua's own take 64-bit integers, which are BigInt in JavaScript.
  (func (export "pushInteger") (param $state i32) (param $value f64)
    (call $lua_pushinteger (local.get $state) (i64.trunc_sat_f64_s (local.get $value))))
  (func (export "rawGet") (param $state i32) (param $index i32) (param $key i32) (result i32)
    (call $lua_rawgeti (local.get $state) (local.get $index)
      (i64.extend_i32_s (local.get $key))))
  (func (export "rawSet") (param $state i32) (param $index i32) (param $key i32)
    (call $lua_rawseti (local.get $state) (local.get $index)
      (i64.extend_i32_s (local.get $key))))

  ;; Lua calls hooks through its table of functions, which holds WebAssembly functions only.
  (func (export "hook") (param $state i32) (param $record i32)
    (call $hook (local.get $state) (local.get $record))))

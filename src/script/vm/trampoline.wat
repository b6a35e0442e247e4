;; Lua's table of functions holds WebAssembly functions only, so each of our functions that Lua calls gets an
;; instance of this module, which passes the number of the function to JavaScript.
(module
  (import "js" "index" (global $index i32))
  (import "js" "call" (func $call (param i32 i32) (result i32)))
  (func (export "f") (param $state i32) (result i32)
    (call $call (local.get $state) (global.get $index))))

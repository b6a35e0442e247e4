-- Registers every coroutine, so that the time limit ends it too

local create, wrap = coroutine.create, coroutine.wrap

function coroutine.create(f)
  if type(f) ~= "function" then expected(1, "create", "function", f) end
  local thread = create(f)
  threads[thread] = true
  return thread
end

local function passOn(ok, ...)
  if ok then return ... end
  error((...), 0)
end

--- The hook is off after it has raised an error in a coroutine, also while values are closed (<close>): a
--- protected call inside the coroutine turns it on again before that.
function coroutine.wrap(f)
  if type(f) ~= "function" then expected(1, "wrap", "function", f) end
  return wrap(function(...)
    threads[running()] = true
    return passOn(pcall(f, ...))
  end)
end

local close = coroutine.close
function coroutine.close(thread)
  if type(thread) ~= "thread" then expected(1, "close", "coroutine", thread) end
  allowHooks(thread)
  return close(thread)
end

--- nil outside of coroutines, as in 5.1; the second result is that of 5.4.
function coroutine.running()
  local thread, main = running()
  if main then return nil, true end
  return thread, false
end

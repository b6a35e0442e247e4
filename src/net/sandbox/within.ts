/** The outcome of a promise, or an error when it takes longer than `timeout` ms. */
export function within<T>(promise: Promise<T>, timeout: number, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${what} took more than ${timeout / 1000} s`)),
      timeout,
    );
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

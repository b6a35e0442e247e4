/** The outcome of a promise, or an error with a text of its own if that takes `timeout` ms. */
export function within<T>(promise: Promise<T>, timeout: number, late: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout>;
  const end = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(late)), timeout);
  });
  return Promise.race([promise, end]).finally(() => clearTimeout(timer));
}

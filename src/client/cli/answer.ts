import { within } from "../../common/wait.ts";
import { ConnectionError } from "../status.ts";

/**
 * Waits for the server's answer.
 *
 * @param timeout milliseconds
 * @param missing begin of the error message without an answer
 * @throws {ConnectionError} after the time-out
 */
export async function answerWithin<T>(
  timeout: number,
  answer: Promise<T>,
  missing = "No answer",
): Promise<T> {
  const late = `${missing} within ${timeout / 1000} s`;
  try {
    return await within(answer, timeout, late);
  } catch (error) {
    throw error instanceof Error && error.message === late ? new ConnectionError(late) : error;
  }
}

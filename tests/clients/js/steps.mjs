// One JSON line per step on standard output; what a step returns is what the tests assert on.
import { readFileSync } from 'node:fs';

export const given = JSON.parse(readFileSync(0, 'utf8'));

export async function step(name, act) {
  try {
    tell({ step: name, ok: true, told: (await act()) ?? null });
  } catch (error) {
    tell({ step: name, ok: false, error: described(error) });
  }
}

// A step that must be refused: what the client makes of the refusal is what it returns.
export async function refused(name, act) {
  try {
    const told = await act();
    tell({ step: name, ok: false, error: { message: 'was not refused', told: told ?? null } });
  } catch (error) {
    tell({ step: name, ok: true, told: described(error) });
  }
}

// Orders a fault from the control port of the company, as a person would with curl.
export async function order(fault) {
  const answer = await fetch(`${given.control}/faults`, { method: 'POST', body: JSON.stringify(fault) });
  if (!answer.ok) throw new Error(`the fault was not taken: ${await answer.text()}`);
}

export async function all(pages) {
  const found = [];
  for await (const one of pages) found.push(one);
  return found;
}

function tell(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function described(error) {
  const body = error.body ?? error.response?.data ?? error.data ?? null;
  return {
    name: error.name ?? error.constructor?.name ?? 'Error',
    message: String(error.message ?? error).slice(0, 600),
    status: error.status ?? error.statusCode ?? error.response?.status ?? null,
    code: error.errorCode ?? error.error ?? error.code ?? null,
    retryAfterMs: error.retryAfterMs ?? null,
    report: error.report ?? null,
    body: typeof body === 'string' ? body.slice(0, 600) : body,
  };
}

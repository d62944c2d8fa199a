import { type Challenge, solve } from './challenge.js';

/** A request to an API. */
export interface Request {
  method: 'GET' | 'POST';
  path: string;
  token: string;
  pass?: string | undefined;
  body?: string;
}

/** The answer to a request, as far as passes go. */
interface PassAnswer {
  code?: string;
  pass?: string;
  challenge?: Challenge;
}

/** Refusals of a click after which another pass helps. */
const REFUSALS: readonly (string | undefined)[] = ['pass_required', 'bad_pass', 'pass_expired'];

/** The passes of simulated buyers: one for each buyer and sale, got at the first click that the API refuses for the lack of one. */
export class PassBook<A extends PassAnswer> {
  readonly #send: (request: Request) => Promise<A>;
  readonly #passes = new Map<string, string>();
  /** The passes on their way: several clicks of a buyer at once need one pass. */
  readonly #coming = new Map<string, Promise<A>>();

  constructor(send: (request: Request) => Promise<A>) {
    this.#send = send;
  }

  /** Clicks, with a pass if the sale needs one. Without a pass, the answer says why there is none. */
  async click(saleId: string, request: Request): Promise<A> {
    const key = `${saleId} ${buyerOf(request.token)}`;
    const answer = await this.#send({ ...request, pass: this.#passes.get(key) });
    if (!REFUSALS.includes(answer.code)) return answer;
    let coming = this.#coming.get(key);
    if (!coming) {
      coming = this.#get(saleId, request.token).finally(() => this.#coming.delete(key));
      this.#coming.set(key, coming);
    }
    const given = await coming;
    if (given.pass === undefined) return given;
    this.#passes.set(key, given.pass);
    return this.#send({ ...request, pass: given.pass });
  }

  async #get(saleId: string, token: string): Promise<A> {
    const request: Request = { method: 'POST', path: `/pass/${saleId}`, token };
    const answer = await this.#send(request);
    if (!answer.challenge) return answer;
    return this.#send({ ...request, body: JSON.stringify({ solution: await solve(answer.challenge) }) });
  }
}

/** Returns the name in a token. A buyer may send a new token with each call. */
function buyerOf(token: string): string {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).sub;
}

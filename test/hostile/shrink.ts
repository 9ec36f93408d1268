import { bytesOf, type Request, type Shot } from "./shot.ts";

const MOST_TRIES = 60;

/** Sends a shot and says what is wrong with the answer. */
export type Try = (shot: Shot) => Promise<readonly string[]>;

/** A simpler request with the same complaint: fewer headers, a shorter body and query. @returns its bytes */
export async function shrink(shot: Shot, complaint: string, attempt: Try): Promise<Buffer> {
  let tries = 0;
  const stillFails = async (candidate: Shot): Promise<boolean> => {
    tries += 1;
    return tries <= MOST_TRIES && (await attempt(candidate)).includes(complaint);
  };
  if (shot.request === null) {
    let smallest = shot;
    for (const bytes of cuts(shot.bytes)) {
      const candidate = { ...shot, bytes };
      if (bytes.length < smallest.bytes.length && (await stillFails(candidate))) smallest = candidate;
    }
    return smallest.bytes;
  }
  let request = shot.request;
  for (let isSmaller = true; isSmaller && tries < MOST_TRIES; ) {
    isSmaller = false;
    for (const candidate of simpler(request)) {
      if (!(await stillFails({ ...shot, bytes: bytesOf(candidate), request: candidate }))) continue;
      request = candidate;
      isSmaller = true;
      break;
    }
  }
  return bytesOf(request);
}

/** The beginnings of a text, by halves and eighths. */
function cuts(bytes: Buffer): readonly Buffer[] {
  return [1 / 8, 1 / 4, 1 / 2, 3 / 4, 7 / 8].map((share) =>
    bytes.subarray(0, Math.ceil(bytes.length * share)),
  );
}

function simpler(request: Request): readonly Request[] {
  const { body, headers, target, chunks } = request;
  const question = target.indexOf("?");
  return [
    ...(chunks === null ? [] : [{ ...request, chunks: null }]),
    ...(body === null ? [] : [{ ...request, body: null, chunks: null }]),
    ...(question < 0 ? [] : [{ ...request, target: target.slice(0, question) }]),
    ...headers.flatMap(([name], dropped) =>
      name === "Host" ? [] : [{ ...request, headers: headers.filter((_, at) => at !== dropped) }],
    ),
    ...(body === null || body.length < 2 ? [] : halves(body).map((half) => ({ ...request, body: half }))),
  ];
}

function halves(body: Buffer): readonly Buffer[] {
  const middle = body.length >> 1;
  const quarter = body.length >> 2;
  return [
    body.subarray(0, middle),
    body.subarray(middle),
    Buffer.concat([body.subarray(0, quarter), body.subarray(middle)]),
    Buffer.concat([body.subarray(0, middle), body.subarray(middle + quarter)]),
  ];
}

/** The reference engine: clarity before speed. Its results are right by definition; other engines are tested against them. */
import { type Tensor, zerosTensor } from "../../tensor/tensor.ts";
import type { Engine, FeedSource } from "../engine.ts";
import { evaluate } from "./evaluate.ts";

export { evaluate } from "./evaluate.ts";

const DESCRIPTION = { engine: "reference", reason: "as asked for", threads: 1 };

export const referenceEngine: Engine = {
  name: "reference",
  supports: () => [],
  describe: async () => DESCRIPTION,
  compile: async ({ inputs, outputs }, options = {}) => {
    let known = new Map<FeedSource, Tensor>();
    return {
      run: async (feeds) => {
        const tensors = new Map(feeds.map((feed) => [feed, known.get(feed) ?? read(feed)]));
        if (options.keepsFeeds) known = tensors;
        return evaluate(outputs, new Map(inputs.map((node, i) => [node, tensors.get(feeds[i]!)!])), options);
      },
      describe: () => DESCRIPTION,
      dispose() {},
    };
  },
};

function read({ type, readInto }: FeedSource): Tensor {
  const tensor = zerosTensor(type.dtype, type.shape);
  readInto(new Uint8Array(tensor.data.buffer));
  return tensor;
}

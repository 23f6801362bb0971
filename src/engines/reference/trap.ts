/** `--trap nan`: finds the op that makes the first NaN. */
import type { Node } from "../../graph/node.ts";
import { opOf, spelling } from "../../ops/define.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { EvaluationError } from "../engine.ts";
import { elementsOf } from "./copy.ts";
import { placeOf, stretched, type View } from "./view.ts";

/**
 * Throws EvaluationError if `result` holds a NaN that the op made: of a pointwise op one where its operands have none at
 * that element, of another op one where its operands have none at all. Operands are asked for only where there is one.
 */
export function refuseNewNaN(node: Node, argsOf: () => readonly View[], result: View): void {
  const { kind } = opOf(node);
  if (node.args.length === 0 || kind === "movement" || !holdsNaN(result)) return;
  const args = argsOf();
  const name = kind === "contract" ? "a sum of products" : spelling(node.op);
  const help = "where(condition, x, y) can keep such elements out";
  if (kind !== "pointwise") {
    if (!args.some(holdsNaN))
      throw new EvaluationError(node, `${name} makes the first nan, of operands without one`, help);
    return;
  }
  const operands = args.map((a) => elementsOf(stretched(a, result.shape)));
  for (const [i, value] of elementsOf(result).entries()) {
    if (!Number.isNaN(value) || operands.some((o) => Number.isNaN(o[i]))) continue;
    const values = operands.map((o) => o[i]).join(" and ");
    throw new EvaluationError(node, `${name} makes the first nan${placeOf(i, result.shape)}, of ${values}`, help);
  }
}

/** Ints and bools do not. */
const holdsNaN = (view: View): boolean => isFloat(view.dtype) && elementsOf(view).some(Number.isNaN);

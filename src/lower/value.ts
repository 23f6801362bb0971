/** What an expression of the language can stand for while it is lowered: mostly a node, now and then something else. */

import type { Node } from "../graph/node.ts";
import type { DType } from "../tensor/dtype.ts";

export type Value =
  | { readonly kind: "tensor"; readonly node: Node }
  /** What a many-valued function gives: `v, i = top_k(x, 3)`. */
  | { readonly kind: "many"; readonly nodes: readonly Node[] }
  | { readonly kind: "string"; readonly text: string }
  | { readonly kind: "dtype"; readonly dtype: DType }
  /** `axis=all` */
  | { readonly kind: "all" }
  /** The value of something wrong that is reported already: its users stay silent. */
  | { readonly kind: "poison" };

export const tensorValue = (node: Node): Value => ({ kind: "tensor", node });
export const POISON: Value = { kind: "poison" };

/** Elements of nodes as forms, over what is in memory: how arithmetic and movement become the body of one loop. */
import type { Node } from "../../graph/node.ts";
import { type Form, fround, parameter } from "../../numeric/form.ts";
import { scalarType } from "../../ops/cast.ts";
import { opOf } from "../../ops/define.ts";
import { shapeOf } from "./cost.ts";
import { type Access, elementForm, throughMovement, throughStretch, uniformValue } from "./fusion.ts";
import type { Place } from "./steps.ts";

/** A node's element, which parameter i is: of its own dtype, or of another float. */
export function loaded({ dtype }: Place, i: number, { type }: Node): Form {
  const element = parameter(i, scalarType(dtype));
  return dtype === "float64" && type.dtype === "float32" ? fround(element) : element;
}

/** A node's element as a form, over what is in memory. */
export class Fusing {
  /** The places that are read, with strides for the loop's axes; parameter i of the forms is an element of the i-th. */
  readonly loads: Place[] = [];
  readonly shape: readonly number[];
  readonly #placeOf: (node: Node) => Place | undefined;
  readonly #keys = new Map<string, number>();
  readonly #forms = new Map<string, Form>();

  /** `shape` is the loop's. */
  constructor(placeOf: (node: Node) => Place | undefined, shape: readonly number[]) {
    this.#placeOf = placeOf;
    this.shape = shape;
  }

  /** The element of a node at `access`; `anew`: computed though it has a place. */
  form(node: Node, access: Access, anew = false): Form {
    const key = `${node.id} ${JSON.stringify(access)}`;
    let form = this.#forms.get(key);
    if (!form) {
      form = this.#make(node, access, anew);
      this.#forms.set(key, form);
    }
    return form;
  }

  #make(node: Node, access: Access, anew: boolean): Form {
    const uniform = uniformValue(node);
    if (uniform) return uniform;
    const place = anew ? undefined : this.#placeOf(node);
    if (place) return loaded(place, this.#load(place, access), node);
    if (opOf(node).kind === "pointwise") {
      const args = node.args.map((arg) => this.form(arg, throughStretch(access, shapeOf(arg), shapeOf(node))));
      return elementForm(node, args);
    }
    const [x] = node.args as [Node];
    return this.form(x, throughMovement(node, access)!);
  }

  #load(place: Place, access: Access): number {
    const strides = this.shape.map((_, loop) =>
      access.reduce((sum, { steps }, axis) => sum + (steps[loop] ?? 0) * place.strides[axis]!, 0),
    );
    const offset = access.reduce((sum, { start }, axis) => sum + start * place.strides[axis]!, place.offset);
    const key = `${place.buffer} ${offset} ${strides}`;
    let i = this.#keys.get(key);
    if (i === undefined) {
      i = this.loads.length;
      this.#keys.set(key, i);
      this.loads.push({ ...place, shape: this.shape, strides, offset });
    }
    return i;
  }
}

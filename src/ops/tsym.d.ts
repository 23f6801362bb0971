/** What importing a .tsym file gives: each fn's tree as JSON in short (trees.ts), by name; bin/precompute.js makes the module. */
declare module "*.tsym" {
  const trees: ReadonlyMap<string, string>;
  export default trees;
}

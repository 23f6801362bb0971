/** What importing a .tsym file gives: the JSON of each fn's tree, by name (bin/precompute.js makes the module). */
declare module "*.tsym" {
  const trees: ReadonlyMap<string, string>;
  export default trees;
}

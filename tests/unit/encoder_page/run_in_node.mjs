// Runs the script of encoder.html as node knows it (no page, no network), then one of the functions beside this file.
// node run_in_node.mjs PAGE FUNCTIONS NAME < arguments as JSON > result as JSON
import { readFileSync } from "node:fs";
import vm from "node:vm";

const [page, functions, name] = process.argv.slice(2);
const script = /<script>([^]*)<\/script>/.exec(readFileSync(page, "utf8"))[1];
vm.runInThisContext(script, { filename: "encoder.html" });
vm.runInThisContext(readFileSync(functions, "utf8"), { filename: functions });
const result = await globalThis[name](...JSON.parse(readFileSync(0, "utf8")));
process.stdout.write(JSON.stringify(result));

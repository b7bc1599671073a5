// One process of bench/onnxruntime.py: a model in ONNX Runtime on the CPU.
//
// usage: node onnxruntime.js PACKAGE MODEL INPUT SIZES OUTPUT THREADS SECONDS
//
// INPUT and OUTPUT hold plain f32 elements; SIZES is "1,3,224,224". Runs for SECONDS and prints one line of JSON: the
// runtime's version, seconds of each run, and in bytes the most memory of the process, before and after the model.
const fs = require('fs');
const [folder, model, input, sizes, output, threads, seconds] = process.argv.slice(2);
const ort = require(folder);

function memory() {
  const status = fs.readFileSync('/proc/self/status', 'utf8');
  return 1024 * Number(/VmHWM:\s+(\d+)/.exec(status)[1]);
}

async function main() {
  const before = memory();
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ['cpu'], intraOpNumThreads: Number(threads), interOpNumThreads: 1,
    executionMode: 'sequential', graphOptimizationLevel: 'all',
  });
  const bytes = fs.readFileSync(input);
  const elements = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const feeds = {[session.inputNames[0]]: new ort.Tensor('float32', elements, sizes.split(',').map(Number))};
  const times = [];
  let results = await session.run(feeds); // the first run plans
  const begin = process.hrtime.bigint();
  for (let now = begin; Number(now - begin) < 1e9 * Number(seconds);) {
    results = await session.run(feeds);
    const then = process.hrtime.bigint();
    times.push(Number(then - now) / 1e9);
    now = then;
  }
  const y = results[session.outputNames[0]].data;
  fs.writeFileSync(output, Buffer.from(y.buffer, y.byteOffset, y.byteLength));
  console.log(JSON.stringify({version: ort.env.versions.node, seconds: times, before, after: memory()}));
}
main();

/** What TensorFlow is installed from: each file with its place, hash and size. Data; nothing is fetched here. */

/** A file that is downloaded. */
export interface Part {
  /** What progress and messages call it. */
  readonly title: string;
  readonly file: string;
  /** `sha256` or `sha512`, and the digest in hex or base64. */
  readonly hash: readonly ["sha256", hex: string] | ["sha512", base64: string];
  /** Bytes to download, and on disk once unpacked. */
  readonly size: number;
  readonly unpacked: number;
}

/** The npm package whose addon is built: its JavaScript is not used, so none of its dependencies is needed. */
export const TFJS: Part & { readonly spec: string } = {
  title: "@tensorflow/tfjs-node 4.22.0",
  spec: "@tensorflow/tfjs-node@4.22.0",
  file: "tensorflow-tfjs-node-4.22.0.tgz",
  hash: ["sha512", "uHrXeUlfgkMxTZqHkESSV7zSdKdV0LlsBeblqkuKU9nnfxB1pC6DtoyYVaLxznzZy7WQSegjcohxxCjAf6Dc7w=="],
  size: 228_166,
  unpacked: 2_035_252,
};

/** libtensorflow as its makers publish it, for CPUs, by platform: the archives that tfjs-node's own installer takes. */
export const OFFICIAL: Readonly<Record<string, Part & { readonly url: string }>> = Object.fromEntries(
  (
    [
      [
        "linux-x64",
        "2.9.1",
        "tensorflow/libtensorflow/libtensorflow-cpu-linux-x86_64-2.9.1.tar.gz",
        "7f510d2546e3db5e10b1d119463689003d587842892ad3c95bca51cf82820173",
      ],
      [
        "linux-arm64",
        "2.7",
        "tf-builds/libtensorflow_r2_7_linux_arm64.tar.gz",
        "9395d1ff39f5b6847f5121e679ff4e599dc7061a2a7f87ceac061c78e908e6e3",
      ],
      [
        "darwin-x64",
        "2.9.1",
        "tensorflow/libtensorflow/libtensorflow-cpu-darwin-x86_64-2.9.1.tar.gz",
        "56f83d3320ba0f69aaafd6c058645e1b7fbc75fb9a3fc36d6be98de1291ca226",
      ],
      [
        "darwin-arm64",
        "2.7",
        "tf-builds/libtensorflow_r2_7_darwin_arm64_cpu.tar.gz",
        "13ab22b97e2af06e431aadb7b42f8299819675dd01aa16da035d8210a4183d79",
      ],
    ] as const
  ).map(([platform, version, path, hex]) => [
    platform,
    {
      title: `libtensorflow ${version}`,
      url: `https://storage.googleapis.com/${path}`,
      file: path.replace(/.*\//, ""),
      hash: ["sha256", hex],
      size: 140_000_000,
      unpacked: 480_000_000,
    },
  ]),
);

/** A wheel of the Python package index: it is unpacked, never installed, so any Python will do. */
export interface Wheel extends Part {
  /** As pip is asked for it. */
  readonly requirement: string;
  /** The Python and the platform that it is made for. */
  readonly python: string;
  readonly platform: string;
  /** What is taken from it: the beginnings of paths, and what stands in their places. */
  readonly take: readonly (readonly [from: string, to: string])[];
}

const [LIBRARY, HEADERS] = ["deps/lib/", "deps/include/"];

const tensorflowWheel = (name: string, hex: string, size: number, unpacked: number): Wheel => ({
  title: `${name} 2.15.1`,
  requirement: `${name}==2.15.1`,
  python: "3.11",
  platform: "manylinux2014_x86_64",
  file: `${name.replace("-", "_")}-2.15.1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl`,
  hash: ["sha256", hex],
  size,
  unpacked,
  take: [
    ["tensorflow/libtensorflow_cc.so.", `${LIBRARY}libtensorflow_cc.so.`],
    ["tensorflow/libtensorflow_framework.so.", `${LIBRARY}libtensorflow_framework.so.`],
    ["tensorflow/include/tensorflow/", `${HEADERS}tensorflow/`],
    ["tensorflow/include/tsl/", `${HEADERS}tsl/`],
  ],
});

/** A library of NVIDIA's: TensorFlow looks for them in `../nvidia` beside the folder that it lies in. */
const nvidiaWheel = (name: string, version: string, hex: string, size: number, unpacked: number): Wheel => ({
  title: `nvidia-${name}-cu12 ${version}`,
  requirement: `nvidia-${name}-cu12==${version}`,
  python: "3.11",
  platform: "manylinux1_x86_64",
  file: `nvidia_${name.replaceAll("-", "_")}_cu12-${version}-py3-none-manylinux1_x86_64.whl`,
  hash: ["sha256", hex],
  size,
  unpacked,
  take: [["nvidia/", "deps/nvidia/"]],
});

/** Where the official place is out of reach, and for GPUs, where its libtensorflow would need a CUDA of the system's own. */
export const WHEELS: Readonly<Record<"cpu" | "gpu", readonly Wheel[]>> = {
  cpu: [
    tensorflowWheel(
      "tensorflow-cpu",
      "54660c074d7241a503e81edfd9f5ef5af88f64051b72e2945f26318c790f2d26",
      207_208_420,
      645_000_000,
    ),
  ],
  // what the wheel asks for as its extra `and-cuda`
  gpu: [
    tensorflowWheel(
      "tensorflow",
      "bb0edd69103c154245c5f209f0507355cc68ba7e4de350084bc31edc562478e4",
      475_258_663,
      1_110_000_000,
    ),
    ...(
      [
        [
          "cublas",
          "12.2.5.6",
          "f448d8db463f9a2c7dd9a1e607c0961d3e95f825b86839c5882f7d073d406df0",
          417_825_305,
          633_870_184,
        ],
        [
          "cuda-cupti",
          "12.2.142",
          "ce68d1009dd14215e38ed49643d31374c71d6fea381181cb0b9da7f19dfd1624",
          13_900_552,
          45_512_244,
        ],
        [
          "cuda-nvcc",
          "12.2.140",
          "c6ff4ae7a636eb6cab7621191e19ac3779690686bbcf52c04d8b1ca2944e1e27",
          21_319_729,
          54_530_224,
        ],
        [
          "cuda-nvrtc",
          "12.2.140",
          "b1cdcae6443cb7cdcfb5d1bf51896a148c9f82f9e65b27db9ab095eaed689aa7",
          23_430_053,
          60_582_737,
        ],
        [
          "cuda-runtime",
          "12.2.140",
          "acb9cb7e44594a3512533497ea790d9f0b0e399abcc888584c157d1ffa080e41",
          845_802,
          4_359_000,
        ],
        [
          "cudnn",
          "8.9.4.25",
          "9f882d5b11753c566fd32427839089eb4f8ba7a58c28446ad359e32c40229723",
          720_096_787,
          1_164_003_687,
        ],
        [
          "cufft",
          "11.0.8.103",
          "72e961e578f9be9e316ccb4db8652c421dd0b57442624faa71061d452f449a67",
          98_570_970,
          180_120_326,
        ],
        [
          "curand",
          "10.3.3.141",
          "7b6bad6817b5df2a6f5ec221206fb895d9195fdd7d2443f3e86554108c141a0a",
          56_463_566,
          99_021_382,
        ],
        [
          "cusolver",
          "11.5.2.141",
          "5a85c4653ce34339a5688137f494a0f903e0f0532418550998167f00844161da",
          124_890_758,
          198_767_163,
        ],
        [
          "cusparse",
          "12.1.2.141",
          "4e13d6a51d2303dcb2a023ba09546811161f0334fc64e13689397bbd3b1eb126",
          195_268_625,
          264_203_111,
        ],
        [
          "nccl",
          "2.16.5",
          "84695a4248138fb2ca12f5fd3defe986e790e71ccdaad51b2ca34ca4e83ef421",
          188_657_797,
          256_599_878,
        ],
        [
          "nvjitlink",
          "12.2.140",
          "95635cafbf9f96c38bea5200ab145a2e6aefbb5405e0b04c1e4ba54df2d84ec9",
          20_177_273,
          49_698_502,
        ],
      ] as const
    ).map(([name, version, hex, size, unpacked]) => nvidiaWheel(name, version, hex, size, unpacked)),
  ],
};

/** Where there are wheels for. */
export const WHEEL_PLATFORM = "linux-x64";

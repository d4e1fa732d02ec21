/**
 * The plain data that the modules share.
 *
 * @typedef {[number, number, number]} Vector
 *
 * @typedef {object} Moment One field at one step.
 * @property {number} cycle
 * @property {number | null} time
 * @property {[number, number][]} range Minimum and maximum of each component.
 * @property {[Vector, Vector]} bounds Lower and upper corner of the domain.
 * @property {number | null} psnr
 * @property {number} bytes
 *
 * @typedef {object} FieldEntry
 * @property {string} name
 * @property {string} unit
 * @property {number} components
 * @property {Moment[]} steps Oldest first.
 *
 * @typedef {object} Plot Results of a query over time.
 * @property {string} name
 * @property {[number, number][]} points Cycle and value.
 * @property {number[]} marks Cycles at which a condition became true.
 *
 * @typedef {object} LinesEntry Pathlines of one file.
 * @property {string} name
 * @property {string} group Files of one group are of one extract at different steps.
 * @property {number | null} time
 * @property {number} lines
 * @property {number} points
 * @property {string[]} columns x, y, z, and values at the points.
 * @property {[number, number][]} ends Least and largest of each.
 * @property {[number, number]} most Whole numbers that stand for the largest, of points and values.
 *
 * @typedef {object} Catalogue
 * @property {string} title
 * @property {string} run Of a running simulation: differs from run to run.
 * @property {string} length Unit of length.
 * @property {string} time Unit of time.
 * @property {FieldEntry[]} fields
 * @property {Object<string, [number, number, number, number][]>} colors Position, red, green, blue.
 * @property {Plot[]} plots
 * @property {LinesEntry[]} lines
 *
 * @typedef {object} Lines Grid lines of one axis.
 * @property {[number, number]} ends
 * @property {number} cells
 * @property {number[]} [all] Where they are uneven.
 *
 * @typedef {import("viewer/worker/decode.js").Scale} Scale
 *
 * @typedef {[string, number[]]} ArrayEntry Name and shape.
 *
 * @typedef {object} BlockEntry
 * @property {string} kind
 * @property {Vector} low First cell, x y z, in the whole grid.
 * @property {Vector} high One past the last cell.
 * @property {number[]} origin Value of output 0, for each component.
 * @property {number[]} extent Value of output 1 less that.
 * @property {[number, number]} bytes Start and length in the step's data.
 * @property {ArrayEntry[]} [arrays]
 * @property {Float32Array[]} [values] Of these, once they are unpacked.
 * @property {{shape: Vector, vertex: boolean}} [mask]
 * @property {{scale: number, resolution: number, size: number, hashed: boolean}[]} [levels]
 * @property {number} [features]
 * @property {number} [frequencies]
 * @property {Vector} [resolution]
 * @property {Vector} [shape] Of samples, z y x.
 * @property {boolean} [vertex]
 * @property {"i1" | "i2"} [type] Of the numbers of samples.
 * @property {number} [step] Of samples, in units of the extent.
 * @property {string} [splits] Of a sparse grid, whose shape is x y z, with samples on shared faces.
 * @property {number} [ends]
 * @property {Scale[]} [scales]
 * @property {number} [coded] Bytes of its numbers, which come first.
 * @property {boolean} [relative] Whether these count from the step before.
 * @property {{step: Step, block: BlockEntry}} [before] If so, this one.
 * @property {{shape: Vector, units: number[], pieces: PieceEntry[]} | null} [correction]
 *
 * @typedef {object} PieceEntry A part of a correction, whose bytes follow those of the one before.
 * @property {Vector} at x y z.
 * @property {Vector} shape
 * @property {string} splits
 * @property {Scale[]} scales
 * @property {number} length
 *
 * @typedef {object} Step A field at a step, unpacked.
 * @property {Lines[]} lines Along x, y, z.
 * @property {BlockEntry[]} blocks
 * @property {string[]} recoded Why blocks came as samples.
 * @property {Uint8Array} data
 *
 * @typedef {object} Variable A scalar: a field, a component of a vector, or its magnitude.
 * @property {number} field Index in the catalogue.
 * @property {number} component -1: magnitude.
 */
export {};

"""Quality metrics of fields and images: PSNR, maximum error, SSIM, DSSIM, error at interfaces and
of gradients."""

from insitu.metrics.dssim import dssim
from insitu.metrics.errors import ErrorSums, max_error
from insitu.metrics.gradient_error import GradientError
from insitu.metrics.interface_error import SeamError, seam_error
from insitu.metrics.psnr import joint_psnr_db, psnr, psnr_db
from insitu.metrics.ssim import ssim

__all__ = [
    "ErrorSums",
    "GradientError",
    "SeamError",
    "dssim",
    "joint_psnr_db",
    "max_error",
    "psnr",
    "psnr_db",
    "seam_error",
    "ssim",
]

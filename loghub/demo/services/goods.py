"""What the shop sells, and where: the data that its services and customers agree on."""

from dataclasses import dataclass

REGIONS = ("eu", "us", "uk", "apac")

CAMPAIGNS = {
    "autumn": {"eu": 0.10, "us": 0.15, "uk": 0.10, "apac": 0.12},
    "members": {"eu": 0.05, "us": 0.05, "uk": 0.05},  # nobody entered apac: the bug that the demo's logs show
}


@dataclass(frozen=True, slots=True)
class Product:
    """A product and its list price."""

    sku: str
    name: str
    price: float


PRODUCTS = {
    product.sku: product
    for product in (
        Product("MUG-01", "Enamel mug", 14.50),
        Product("MUG-02", "Espresso cup", 9.90),
        Product("LMP-11", "Desk lamp", 79.00),
        Product("LMP-12", "Reading lamp", 54.00),
        Product("CHR-20", "Oak chair", 189.00),
        Product("TBL-07", "Side table", 129.00),
        Product("RUG-31", "Wool rug", 349.00),
        Product("BLK-04", "Linen blanket", 89.90),
        Product("PLT-15", "Plant pot", 24.00),
        Product("CLK-09", "Wall clock", 64.50),
        Product("SHF-22", "Wall shelf", 59.00),
        Product("VAS-03", "Glass vase", 39.00),
    )
}

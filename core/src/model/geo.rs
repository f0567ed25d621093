//! Places on the earth: WGS-84. GCJ-02 exists only at the edge of a map.

use crate::model::Invalid;

/// A WGS-84 point with the accuracy that the receiver claimed. Degrees times ten million: about a centimetre, and exact in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct Point {
    #[n(0)]
    lat_e7: i32,
    #[n(1)]
    lon_e7: i32,
    #[n(2)]
    accuracy_m: u16,
}

impl Point {
    /// From degrees and an accuracy in metres (68 % radius, as Android and iOS report it), which is held within 0 and 65,535.
    ///
    /// # Errors
    /// When a coordinate is no number or lies outside the globe.
    pub fn from_degrees(lat: f64, lon: f64, accuracy_m: f64) -> Result<Self, Invalid> {
        if !(-90.0..=90.0).contains(&lat) {
            return Err(Invalid::new("latitude", "is not between -90 and 90 degrees"));
        }
        if !(-180.0..=180.0).contains(&lon) {
            return Err(Invalid::new("longitude", "is not between -180 and 180 degrees"));
        }
        Self::from_e7((lat * 1e7).round() as i64, (lon * 1e7).round() as i64, accuracy_m.clamp(0.0, 65_535.0).ceil() as i64)
    }

    /// From degrees times ten million, as documents hold them.
    ///
    /// # Errors
    /// When a coordinate lies outside the globe or the accuracy is not within 0 and 65,535 m.
    pub fn from_e7(lat_e7: i64, lon_e7: i64, accuracy_m: i64) -> Result<Self, Invalid> {
        if lat_e7.abs() > 900_000_000 || lon_e7.abs() > 1_800_000_000 {
            return Err(Invalid::new("point", "lies outside the globe"));
        }
        let accuracy_m = u16::try_from(accuracy_m).map_err(|_| Invalid::new("accuracy", "is not between 0 and 65535 m"))?;
        Ok(Self { lat_e7: lat_e7 as i32, lon_e7: lon_e7 as i32, accuracy_m })
    }

    /// Latitude in degrees times ten million.
    pub const fn lat_e7(&self) -> i32 {
        self.lat_e7
    }

    /// Longitude in degrees times ten million.
    pub const fn lon_e7(&self) -> i32 {
        self.lon_e7
    }

    /// Radius in metres within which the point lies, as the receiver claimed.
    pub const fn accuracy_m(&self) -> u16 {
        self.accuracy_m
    }
}

impl std::fmt::Display for Point {
    /// As documents hold it, in one register, so that concurrent edits never mix one's latitude with another's longitude:
    /// `305728000 1040668000 8`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.lat_e7, self.lon_e7, self.accuracy_m)
    }
}

impl std::str::FromStr for Point {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let numbers: Vec<i64> = text.split(' ').map_while(|part| part.parse().ok()).collect();
        match numbers.as_slice() {
            [lat, lon, accuracy] => Self::from_e7(*lat, *lon, *accuracy),
            _ => Err(Invalid::new("point", "is not latitude, longitude and accuracy")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_outside_the_globe_is_no_point() {
        assert!(Point::from_degrees(91.0, 0.0, 1.0).is_err());
        assert!(Point::from_degrees(f64::NAN, 0.0, 1.0).is_err());
        let point = Point::from_degrees(30.5728, 104.0668, 7.2).unwrap();
        assert_eq!(point.to_string().parse::<Point>().unwrap(), point);
        assert_eq!((point.lat_e7(), point.lon_e7(), point.accuracy_m()), (305_728_000, 1_040_668_000, 8));
    }
}
